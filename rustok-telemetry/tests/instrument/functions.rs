//! The functions that can be instrumented.

use std::{
    fmt::{Debug, Display},
    future::Future,
    pin::Pin,
};

use futures::FutureExt;
use rustok_telemetry::{ErrorType, instrument};

use crate::{Failure, Result, spans::watch};

#[derive(Debug, Default)]
struct Basket {
    goods: Vec<String>,
}

trait Shop {
    fn sell(&self, goods: &str) -> Result<usize>;

    /// A body of the trait's own.
    #[instrument(record(goods))]
    fn advertise(&self, goods: &str) -> String {
        format!("buy {goods}")
    }

    async fn deliver(&mut self, goods: &str) -> Result<&str>;
}

impl Shop for Basket {
    #[instrument(record(self, goods))]
    fn sell(&self, goods: &str) -> Result<usize> {
        let at = self.goods.iter().position(|own| own == goods);
        at.ok_or(Failure::NotFound)
    }

    #[instrument(err, ret)]
    async fn deliver(&mut self, goods: &str) -> Result<&str> {
        self.goods.push(goods.to_owned());
        self.goods
            .last()
            .map(String::as_str)
            .ok_or(Failure::NotFound)
    }
}

impl Basket {
    #[instrument(err)]
    fn last(&mut self) -> Result<&mut String> {
        self.goods.last_mut().ok_or(Failure::NotFound)
    }

    #[instrument(record(self))]
    fn into_goods(self) -> Vec<String> {
        self.goods
    }

    #[instrument]
    fn new() -> Self {
        Self::default()
    }
}

#[test]
fn methods_and_trait_implementations() {
    let seen = watch();
    let mut basket = Basket::new();
    assert!(basket.sell("book").is_err());
    assert!(basket.last().is_err());
    assert_eq!(basket.advertise("books"), "buy books");
    assert!(
        basket
            .deliver("book")
            .now_or_never()
            .is_some_and(|r| r.is_ok())
    );
    basket.last().expect("a book").push('s');
    assert_eq!(basket.into_goods(), ["books"]);
    let sell = seen.span("sell").fields;
    assert_eq!(sell["self"], "Basket { goods: [] }");
    assert_eq!(
        (sell["goods"].as_str(), sell["error.type"].as_str()),
        ("book", "not_found")
    );
    assert_eq!(seen.span("advertise").fields["goods"], "books");
    let last = seen.spans("last");
    assert_eq!(last[0].fields["error.type"], "not_found");
    assert!(last[1].fields.is_empty());
    assert!(seen.span("deliver").fields.is_empty());
    assert!(seen.span("new").closed && seen.span("into_goods").closed);
}

#[async_trait::async_trait]
trait Store: Sync {
    async fn load(&self, id: u64, password: String) -> Result<String>;

    #[instrument(record(id))]
    async fn store(&self, id: u64) {
        tokio::task::yield_now().await;
        assert!(id > 0);
    }
}

#[async_trait::async_trait]
impl Store for Basket {
    #[instrument(record(id), fields(goods = self.goods.len()), module = "catalog", err)]
    async fn load(&self, id: u64, password: String) -> Result<String> {
        tokio::task::yield_now().await;
        tracing::info!("within");
        let goods = self.goods.get(id as usize).cloned();
        Ok(goods.ok_or(Failure::NotFound)? + &password)
    }
}

#[tokio::test]
async fn async_trait() {
    let seen = watch();
    let store: Box<dyn Store + Send> = Box::new(Basket::default());
    drop(store.load(1, "hunter2".to_owned()));
    assert!(seen.spans("load").is_empty());
    assert!(store.load(1, "hunter2".to_owned()).await.is_err());
    store.store(1).await;
    let load = seen.span("load").fields;
    assert_eq!(load["error.type"], "not_found");
    assert_eq!((load["id"].as_str(), load["goods"].as_str()), ("1", "0"));
    assert!(seen.events().iter().all(|event| event.span == Some("load")));
    assert_eq!(seen.events().len(), 2);
    assert!(seen.span("store").closed);
    assert!(!seen.dump().contains("hunter2"));
}

#[tokio::test]
async fn functions_that_make_futures() {
    #[instrument]
    fn boxed(id: u64) -> Pin<Box<dyn Future<Output = Result<u64>> + Send>> {
        let id = id + 1;
        Box::pin(async move {
            tokio::task::yield_now().await;
            if id > 1 {
                Err(Failure::NotFound)
            } else {
                Ok(id)
            }
        })
    }
    #[instrument]
    fn opaque(id: &str) -> impl Future<Output = Result<()>> + Send + use<'_> {
        async move {
            if id.is_empty() {
                Ok(())
            } else {
                Err(Failure::NotFound)
            }
        }
    }
    let seen = watch();
    let never_polled = boxed(1);
    assert!(boxed(1).await.is_err());
    drop(never_polled);
    assert!(opaque("id").await.is_err());
    assert_eq!(seen.span("boxed").fields["error.type"], "not_found");
    assert_eq!(seen.span("opaque").fields["error.type"], "not_found");
}

#[tokio::test]
async fn generics_and_impl_trait() {
    #[instrument(record(value))]
    fn generic<T, const N: usize>(value: &T) -> [T; N]
    where
        T: Debug + Clone,
    {
        std::array::from_fn(|_| value.clone())
    }
    #[instrument(record(%value))]
    async fn takes(value: impl Display + Send, add: impl FnOnce(String) -> String) -> String {
        tokio::task::yield_now().await;
        add(value.to_string())
    }
    #[instrument]
    fn gives(until: u8) -> impl Iterator<Item = u8> + use<> {
        0..until
    }
    #[instrument]
    fn gives_fallible(fails: bool) -> Result<impl Iterator<Item = u8>> {
        if fails {
            return Err(Failure::NotFound);
        }
        Ok(0..3)
    }
    #[instrument]
    async fn mutates<'a>(mut text: String, into: &'a mut String) -> &'a mut String {
        text.push('!');
        tokio::task::yield_now().await;
        *into = text;
        into
    }
    #[instrument]
    fn calls<F: FnMut() -> Result<u8, E>, E: ErrorType>(mut call: F) -> Result<u8, E> {
        call()?;
        call()
    }
    let seen = watch();
    assert_eq!(generic::<_, 2>(&"a"), ["a", "a"]);
    assert_eq!(takes(1, |text| text + "!").await, "1!");
    assert_eq!(gives(3).count(), 3);
    assert_eq!(
        gives_fallible(false)
            .map(Iterator::count)
            .unwrap_or_default(),
        3
    );
    assert!(gives_fallible(true).is_err());
    assert_eq!(mutates("a".to_owned(), &mut String::new()).await, "a!");
    assert!(calls(|| Err(Failure::NotFound)).is_err());
    assert_eq!(seen.span("generic").fields["value"], "\"a\"");
    assert_eq!(seen.span("takes").fields["value"], "1");
    assert_eq!(
        seen.spans("gives_fallible")[1].fields["error.type"],
        "not_found"
    );
    assert_eq!(seen.span("calls").fields["error.type"], "not_found");
}

#[tokio::test]
async fn recursion() {
    #[instrument(record(depth))]
    fn factorial(depth: u64) -> u64 {
        if depth == 0 {
            1
        } else {
            depth * factorial(depth - 1)
        }
    }
    #[instrument(record(depth))]
    async fn descend(depth: u64) -> Result<u64> {
        match depth {
            0 => Err(Failure::NotFound),
            _ => Box::pin(descend(depth - 1)).await,
        }
    }
    let seen = watch();
    assert_eq!(factorial(3), 6);
    assert!(descend(2).await.is_err());
    let spans = seen.spans("factorial");
    assert_eq!(spans.len(), 4);
    assert!(spans[0].parent.is_none());
    assert!(
        spans[1..]
            .iter()
            .all(|span| span.parent == Some("factorial"))
    );
    let spans = seen.spans("descend");
    assert_eq!(spans.len(), 3);
    assert!(
        spans
            .iter()
            .all(|span| span.fields["error.type"] == "not_found")
    );
}

#[test]
fn futures_are_send_and_functions_may_diverge() {
    #[instrument(record(id))]
    async fn sends(id: u64) -> Result<u64> {
        tokio::task::yield_now().await;
        Ok(id)
    }
    #[instrument]
    fn diverges() -> ! {
        panic!("on purpose")
    }
    fn is_send(_: &impl Send) {}
    is_send(&sends(1));
    let seen = watch();
    assert!(std::panic::catch_unwind(|| diverges()).is_err());
    assert_eq!(seen.span("diverges").fields["error.type"], "panic");
}
