//! The options that `tracing::instrument` has, too, one by one, and those that it has not.
use futures::FutureExt;
use rustok_telemetry::instrument;
use tracing::{Level, Span};

use crate::{
    Failure, Result,
    metric_names::{CREATED, ERRORS},
    spans::{watch, watch_counted},
    support::{assert_samples, text, text_only},
};

const NAME: &str = "constant_name";
const FIELD: &str = "constant.field";

#[test]
fn name_level_and_target() {
    #[instrument]
    fn plain() {}
    #[instrument("short")]
    fn short() {}
    #[instrument(name = NAME, level = "DEBUG", target = "shop::load")]
    fn constant() {}
    #[instrument(level = 4)]
    fn number() {}
    #[instrument(level = Level::ERROR)]
    fn path() {}
    #[instrument]
    fn r#type() {}
    let seen = watch();
    plain();
    short();
    constant();
    number();
    path();
    r#type();
    let plain = seen.span("plain");
    assert_eq!(
        (plain.level.as_str(), plain.target.as_str()),
        ("INFO", module_path!())
    );
    assert!(seen.span("short").closed);
    let constant = seen.span("constant_name");
    assert_eq!(
        (constant.level.as_str(), constant.target.as_str()),
        ("DEBUG", "shop::load")
    );
    assert_eq!(seen.span("number").level, "WARN");
    assert_eq!(seen.span("path").level, "ERROR");
    assert!(seen.span("type").closed);
}

#[test]
fn parent_and_follows_from() {
    #[instrument]
    fn inherits() {}
    #[instrument(parent = parent)]
    fn given(parent: &Span) {
        assert!(!parent.is_none());
    }
    #[instrument(parent = None)]
    fn root() {}
    #[instrument(follows_from = causes.iter().map(Span::id))]
    async fn follows(causes: &[Span]) {}
    let seen = watch();
    let cause = tracing::info_span!("cause");
    tracing::info_span!("current").in_scope(|| {
        inherits();
        given(&cause);
        root();
        follows(&[cause.clone(), Span::current()]).now_or_never();
    });
    assert_eq!(seen.span("inherits").parent, Some("current"));
    assert_eq!(seen.span("given").parent, Some("cause"));
    assert_eq!(seen.span("root").parent, None);
    assert_eq!(seen.span("follows").follows, ["cause", "current"]);
}

#[test]
fn fields() {
    #[instrument(fields(order.id = id + 1, %user, late, {FIELD} = true, r#type = %"t"))]
    fn with(id: u64, user: &str) {
        assert!(id > 0 && !user.is_empty());
        Span::current().record("late", "recorded");
    }
    #[instrument(fields(%user, debug = ?user, late))]
    fn other(id: u64, user: &str) {
        assert!(id > 0);
    }
    let seen = watch();
    with(2, "ann");
    other(2, "ann");
    let fields = seen.span("other").fields;
    assert_eq!(fields.len(), 2);
    assert_eq!(
        (fields["user"].as_str(), fields["debug"].as_str()),
        ("ann", "\"ann\"")
    );
    let fields = seen.span("with").fields;
    assert_eq!(fields["order.id"], "3");
    assert_eq!(fields["late"], "recorded");
    assert_eq!(fields["constant.field"], "true");
}

#[test]
fn arguments_are_recorded_when_named() {
    #[derive(Debug)]
    struct Filter(#[allow(dead_code, reason = "shown by Debug")] u8);
    #[instrument(record(id, user, filter, %shown, inner, any))]
    fn named(
        id: u64,
        user: &str,
        filter: Filter,
        shown: Failure,
        (inner, _password): (u8, &str),
        any: impl std::fmt::Debug,
    ) {
        let _ = (filter, shown, any);
    }
    let seen = watch();
    named(
        7,
        "ann",
        Filter(1),
        Failure::NotFound,
        (3, "hunter2"),
        "any",
    );
    let fields: Vec<_> = seen.span("named").fields.into_iter().collect();
    let fields: Vec<_> = fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let expected = [
        ("any", "\"any\""),
        ("filter", "Filter(1)"),
        ("id", "7"),
        ("inner", "3"),
        ("shown", "nothing there"),
        ("user", "ann"),
    ];
    assert_eq!(fields, expected);
    assert!(!seen.dump().contains("hunter2"));
}

#[test_fork::test]
fn tenant_id_counts() {
    struct Tenant(u8);
    impl std::fmt::Display for Tenant {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "t{}", self.0)
        }
    }
    #[instrument(tenant_id = tenant)]
    fn plain(tenant: &str) {}
    #[instrument(tenant_id = %tenant)]
    fn shown(tenant: Tenant) {}
    #[instrument(tenant_id = tracing::field::Empty)]
    fn later() {
        Span::current().record("tenant_id", "globex");
    }
    let telemetry = text_only().init().expect("telemetry starts");
    plain("acme");
    shown(Tenant(1));
    later();
    let expected = [
        (r#"{operation="later",tenant_id="globex"}"#, "1"),
        (r#"{operation="plain",tenant_id="acme"}"#, "1"),
        (r#"{operation="shown",tenant_id="t1"}"#, "1"),
    ];
    assert_samples(&text(), CREATED, &expected);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn err() {
    #[instrument(err)]
    fn plain() -> Result<()> {
        Err(Failure::NotFound)
    }
    #[instrument(err(Debug, level = "warn"), target = "shop")]
    async fn warned() -> Result<()> {
        Err(Failure::NotFound)
    }
    #[instrument(err)]
    fn fine() -> Result<()> {
        Ok(())
    }
    let telemetry = text_only().init().expect("telemetry starts");
    let seen = watch_counted(&telemetry);
    assert!(plain().is_err());
    assert!(warned().now_or_never().is_some_and(|r| r.is_err()));
    assert!(fine().is_ok());
    let [plain, warned] = &seen.events()[..] else {
        panic!("{:?}", seen.events());
    };
    assert_eq!((plain.span, plain.level.as_str()), (Some("plain"), "ERROR"));
    assert_eq!(plain.fields["error"], "nothing there");
    assert_eq!(plain.target, module_path!());
    assert_eq!(
        (warned.span, warned.level.as_str()),
        (Some("warned"), "WARN")
    );
    assert_eq!(warned.fields["error"], "NotFound");
    assert_eq!(warned.target, "shop");
    let expected = [
        (r#"{error_type="not_found",operation="plain"}"#, "1"),
        (r#"{error_type="not_found",operation="warned"}"#, "1"),
    ];
    assert_samples(&text(), ERRORS, &expected);
    let _ = telemetry.shutdown();
}

#[test]
fn ret() {
    #[instrument(ret)]
    fn any() -> Option<u8> {
        Some(1)
    }
    #[instrument(level = "debug", ret(Display, level = "warn"))]
    async fn shown() -> &'static str {
        "shown"
    }
    #[instrument(level = "debug", ret)]
    fn result() -> Result<u8> {
        Err(Failure::NotFound)
    }
    #[instrument(err, ret)]
    fn both(fails: bool) -> Result<u8> {
        if fails { Err(Failure::NotFound) } else { Ok(2) }
    }
    let seen = watch();
    assert_eq!(any(), Some(1));
    assert_eq!(shown().now_or_never(), Some("shown"));
    assert!(result().is_err());
    assert!(both(true).is_err());
    assert!(both(false).is_ok());
    let events: Vec<_> = seen
        .events()
        .into_iter()
        .map(|e| {
            (
                e.span.unwrap_or_default(),
                e.level,
                format!("{:?}", e.fields),
            )
        })
        .collect();
    let events: Vec<_> = events
        .iter()
        .map(|(s, l, f)| (*s, l.as_str(), f.as_str()))
        .collect();
    let expected = [
        ("any", "INFO", r#"{"return": "Some(1)"}"#),
        ("shown", "WARN", r#"{"return": "shown"}"#),
        ("result", "DEBUG", r#"{"return": "Err(NotFound)"}"#),
        ("both", "ERROR", r#"{"error": "nothing there"}"#),
        ("both", "INFO", r#"{"return": "2"}"#),
    ];
    assert_eq!(events, expected);
}
