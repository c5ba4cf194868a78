//! No expansion needs an `#[allow]`, which is an error beside `#![forbid]`.

#![forbid(
    unsafe_code,
    dead_code,
    unreachable_code,
    unused_variables,
    unused_mut,
    unused_must_use,
    unused_labels,
    unused_parens,
    unused_assignments,
    non_snake_case,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    rust_2018_idioms,
    clippy::diverging_sub_expression,
    clippy::let_unit_value,
    clippy::let_with_type_underscore,
    clippy::needless_return
)]
#![deny(warnings, clippy::all, clippy::pedantic)]

use std::fmt::Debug;

use rustok_telemetry::{ErrorType, LabelValue, instrument};

/// Errors.
#[derive(Debug, ErrorType)]
enum Error {
    NotFound,
    #[error_type(transparent)]
    Inner(Inner),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}

/// An error within.
#[derive(Debug, ErrorType)]
struct Inner;

/// A label.
#[derive(Debug, LabelValue)]
enum Outcome {
    Hit,
    Missed,
}

#[rustok_telemetry::metrics(namespace = "shop", subsystem = "basket")]
mod basket {
    use rustok_telemetry::LabelValue;

    /// Goods put into baskets.
    #[counter(name = "goods_added_total")]
    pub(super) fn record_goods(outcome: impl LabelValue, tenant_id: &str);

    /// Time that a checkout took. Nobody calls its timer.
    #[histogram(name = "checkout_duration_seconds", boundaries = [0.1, 1.0])]
    pub(super) fn record_checkout(payment: &str, outcome: impl LabelValue, seconds: f64);

    /// Baskets that are open.
    #[gauge(name = "open")]
    pub(super) fn update_open(baskets: i64);

    /// Share of baskets that were left behind.
    #[observable_gauge(name = "abandoned_ratio", unit = "1", observe = super::report_abandoned)]
    fn abandoned_ratio() -> f64;
}

fn report_abandoned(observe: &mut dyn FnMut([&str; 0], f64)) {
    observe([], 0.5);
}

#[derive(Debug)]
struct Shop {
    id: u64,
}

impl Shop {
    #[instrument(record(self.id, user, %text), tenant_id = user, module = "shop", err, ret)]
    async fn load(&self, user: Option<String>, text: impl AsRef<str> + std::fmt::Display) -> Result<u64, Error> {
        if text.as_ref().is_empty() {
            return Err(Error::NotFound);
        }
        if user.is_none() {
            Err(Error::Inner(Inner))?;
        }
        Ok(self.id)
    }

    #[instrument]
    async fn wait(&self) {
        if self.id == 0 {
            return;
        }
        std::future::ready(self.id).await;
    }

    #[track_caller]
    #[instrument(record(value))]
    fn tracked<T: Debug>(&self, value: Option<T>) -> Option<u64> {
        let value = value?;
        if self.id == 0 {
            return None;
        }
        drop(value);
        Some(self.id)
    }

    #[track_caller]
    #[instrument]
    fn unit(&self) {
        assert!(self.id > 0);
    }

    #[instrument]
    fn blocking(&self) -> Result<(), Error> {
        match self.id {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
    }

    #[instrument]
    fn boxed(&self) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send + '_>> {
        Box::pin(async move { self.id })
    }
}

#[track_caller]
#[instrument]
fn diverges() -> ! {
    panic!("on purpose")
}

#[instrument]
async fn diverges_later() -> Result<std::convert::Infallible, Error> {
    std::future::ready(Err(Error::NotFound)).await
}

fn main() {
    let shop = Shop { id: 1 };
    drop(shop.load(None, ""));
    drop(shop.wait());
    shop.unit();
    assert_eq!(shop.tracked(Some(1)), Some(1));
    assert!(shop.blocking().is_ok());
    drop(shop.boxed());
    drop(diverges_later());
    assert!(std::panic::catch_unwind(|| diverges()).is_err());
    basket::record_goods(Outcome::Hit, "acme");
    basket::record_goods(Outcome::Missed, "acme");
    basket::record_checkout("card", Outcome::Hit, 0.1);
    basket::update_open(3);
}
