//! `record(…)` and `tenant_id = …`: which values arrive, and of which type.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt::Debug,
    num::{NonZeroU32, NonZeroU64, Wrapping},
    rc::Rc,
    sync::{Arc, atomic::AtomicU64},
};

use futures::FutureExt;
use rustok_telemetry::{instrument, tenant::Tenant};

use crate::export::{assert_value, block_on, export, value};

type Id = u64;

#[derive(Debug, Clone)]
struct User {
    id: u32,
    name: Arc<str>,
    r#type: Option<String>,
    address: Address,
}

#[derive(Debug, Clone)]
struct Address {
    city: Cow<'static, str>,
}

fn ann() -> User {
    User {
        id: 7,
        name: "ann".into(),
        r#type: None,
        address: Address {
            city: "Rome".into(),
        },
    }
}

struct Cart {
    id: u64,
    owner: User,
}

impl Cart {
    #[instrument(record(self.id, self.owner.name, user.address.city))]
    fn add(&self, user: &User) -> usize {
        user.name.len()
    }

    #[instrument(record(self.id, ?self.owner.id, pair.0, pair.1.name, %nested.0.1))]
    async fn add_later(self, pair: (u8, Box<User>), nested: ((u8, char), u8)) -> u64 {
        drop((pair, nested));
        self.id
    }
}

#[async_trait::async_trait]
trait Store {
    async fn put(&mut self, user: User, ids: Option<Id>);
}

#[async_trait::async_trait]
impl Store for Cart {
    #[instrument(record(self.id, user.id, ids))]
    async fn put(&mut self, user: User, ids: Option<Id>) {
        tokio::task::yield_now().await;
        self.owner = user;
        self.id = ids.unwrap_or_default();
    }
}

#[test]
fn fields_of_arguments_are_recorded_by_their_path() {
    #[instrument(record(quantity, user.id, user.r#type, %user.name, ?order.1))]
    fn place(quantity: u32, user: &User, order: (u8, &str)) {}
    #[instrument(record(name, inner.id))]
    fn patterns(User { name, .. }: &User, (inner, _): (&User, &str)) {}
    let spans = export(|| {
        place(3, &ann(), (1, "tea"));
        patterns(&ann(), (&ann(), "hunter2"));
    });
    let [place, patterns] = &spans[..] else {
        panic!("{spans:?}");
    };
    assert_value(place, "quantity", 3_i64);
    assert_value(place, "user.id", 7_i64);
    assert_eq!(value(place, "user.type"), None);
    assert_value(place, "user.name", "ann");
    assert_value(place, "order.1", "\"tea\"");
    assert_value(patterns, "name", "ann");
    assert_value(patterns, "inner.id", 7_i64);
}

#[test]
fn fields_of_self_are_recorded_by_their_path() {
    let mut cart = Cart {
        id: 5,
        owner: ann(),
    };
    let spans = export(|| {
        cart.add(&ann());
        block_on(cart.put(ann(), Some(9)));
        let later = cart.add_later((1, Box::new(ann())), ((2, 'c'), 3));
        assert_eq!(later.now_or_never(), Some(9));
    });
    let [add, put, later] = &spans[..] else {
        panic!("{spans:?}");
    };
    assert_value(add, "self.id", 5_i64);
    assert_value(add, "self.owner.name", "ann");
    assert_value(add, "user.address.city", "Rome");
    assert_value(put, "self.id", 5_i64);
    assert_value(put, "user.id", 7_i64);
    assert_value(put, "ids", 9_i64);
    assert_value(later, "self.id", 9_i64);
    assert_value(later, "self.owner.id", "7");
    assert_value(later, "pair.0", 1_i64);
    assert_value(later, "pair.1.name", "ann");
    assert_value(later, "nested.0.1", "c");
}

#[test]
fn whole_numbers_are_numbers() {
    #[instrument(record(a, b, c, d, e, f, g, h, i))]
    #[allow(clippy::too_many_arguments)]
    fn numbers(
        a: u8,
        b: &usize,
        c: Id,
        d: NonZeroU32,
        e: u128,
        f: i128,
        g: Wrapping<u16>,
        h: &AtomicU64,
        i: &&&mut NonZeroU64,
    ) {
    }
    #[instrument(record(a, b, c))]
    fn large(a: u64, b: u128, c: i128) {}
    let one = NonZeroU64::MIN;
    let spans = export(|| {
        numbers(
            1,
            &2,
            3,
            NonZeroU32::MIN,
            5,
            -6,
            Wrapping(7),
            &AtomicU64::new(8),
            &&&mut one.clone(),
        );
        large(u64::MAX, u128::MAX, i128::MIN);
    });
    for (name, expected) in [
        ("a", 1_i64),
        ("b", 2),
        ("c", 3),
        ("d", 1),
        ("e", 5),
        ("f", -6),
        ("g", 7),
        ("h", 8),
        ("i", 1),
    ] {
        assert_value(&spans[0], name, expected);
    }
    assert_value(&spans[1], "a", u64::MAX.to_string());
    assert_value(&spans[1], "b", u128::MAX.to_string());
    assert_value(&spans[1], "c", i128::MIN.to_string());
}

#[test]
fn floats_and_bools_keep_their_type() {
    #[instrument(record(a, b, c, d))]
    fn values(a: f32, b: &f64, c: bool, d: Option<&bool>) {}
    let spans = export(|| values(0.5, &1.5, true, Some(&false)));
    assert_value(&spans[0], "a", 0.5);
    assert_value(&spans[0], "b", 1.5);
    assert_value(&spans[0], "c", true);
    assert_value(&spans[0], "d", false);
}

#[test]
fn text_has_no_quotes() {
    #[instrument(record(a, b, c, d, e, f, g, h, i))]
    #[allow(clippy::too_many_arguments)]
    fn texts(
        a: Arc<str>,
        b: Cow<'_, str>,
        c: String,
        d: &String,
        e: Box<str>,
        f: Arc<String>,
        g: &&str,
        h: Rc<Cow<'_, str>>,
        i: char,
    ) {
    }
    let text = || "a \"b\"".to_owned();
    let spans = export(|| {
        let cow = Rc::new(Cow::Owned(text()));
        texts(
            text().into(),
            text().into(),
            text(),
            &text(),
            text().into(),
            Arc::new(text()),
            &&*text(),
            cow,
            'x',
        );
    });
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        assert_value(&spans[0], name, "a \"b\"");
    }
    assert_value(&spans[0], "i", "x");
}

#[test]
fn none_is_absent() {
    #[instrument(record(a, b, c, d, e, f))]
    fn options(
        a: Option<u64>,
        b: Option<&str>,
        c: &Option<String>,
        d: Option<Arc<str>>,
        e: Option<Option<u8>>,
        f: &Option<Address>,
    ) {
    }
    let spans = export(|| {
        options(None, None, &None, None, Some(None), &None);
        options(
            Some(5),
            Some("b"),
            &Some("c".to_owned()),
            Some("d".into()),
            Some(Some(1)),
            &Some(ann().address),
        );
    });
    for name in ["a", "b", "c", "d", "e", "f"] {
        assert_eq!(value(&spans[0], name), None, "{name}");
    }
    assert_value(&spans[1], "a", 5_i64);
    assert_value(&spans[1], "b", "b");
    assert_value(&spans[1], "c", "c");
    assert_value(&spans[1], "d", "d");
    assert_value(&spans[1], "e", 1_i64);
    assert_value(&spans[1], "f", "Address { city: \"Rome\" }");
}

#[test]
fn other_types_are_recorded_by_debug() {
    #[instrument(record(map, list, generic, opaque))]
    fn others<T: Debug>(map: &HashMap<u8, u8>, list: &[u8], generic: T, opaque: impl Debug + Send) {
        let _ = (map, list, generic, opaque);
    }
    let spans = export(|| others(&HashMap::from([(1, 2)]), &[3], "text", 4_u64));
    assert_value(&spans[0], "map", "{1: 2}");
    assert_value(&spans[0], "list", "[3]");
    assert_value(&spans[0], "generic", "\"text\"");
    assert_value(&spans[0], "opaque", "4");
}

#[test_fork::test]
fn what_is_not_recorded_is_not_formatted() {
    struct Refuses;
    impl Debug for Refuses {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("nobody wants it")
        }
    }
    #[instrument(record(refuses))]
    fn record(refuses: Refuses) {
        let _ = refuses;
    }
    record(Refuses);
}

#[test]
fn tenants_may_be_absent() {
    #[instrument(tenant_id = tenant)]
    fn optional(tenant: Option<String>) {}
    #[instrument(tenant_id = tenant.as_deref().map(str::to_uppercase))]
    fn temporary(tenant: Option<Arc<str>>) {}
    #[instrument(tenant_id = id)]
    fn numbered(id: Option<NonZeroU32>) {}
    #[instrument(tenant_id = tenant)]
    async fn known(tenant: &Tenant) {}
    #[instrument(tenant_id = tenant)]
    async fn unknown(tenant: &Option<Tenant>) {}
    #[instrument(tenant_id = tracing::field::display(1.5))]
    fn displayed() {}
    #[instrument(tenant_id = tracing::field::Empty)]
    fn later() {}
    let spans = export(|| {
        optional(None);
        optional(Some("acme".to_owned()));
        temporary(Some("acme".into()));
        numbered(NonZeroU32::new(3));
        known(&"acme".into()).now_or_never();
        unknown(&None).now_or_never();
        displayed();
        later();
    });
    assert_eq!(value(&spans[0], "tenant_id"), None);
    assert_value(&spans[1], "tenant_id", "acme");
    assert_value(&spans[2], "tenant_id", "ACME");
    assert_value(&spans[3], "tenant_id", 3_i64);
    assert_value(&spans[4], "tenant_id", "acme");
    assert_eq!(value(&spans[5], "tenant_id"), None);
    assert_value(&spans[6], "tenant_id", "1.5");
    assert_eq!(value(&spans[7], "tenant_id"), None);
}
