//! Values keep their type: on spans, their events, and log records.

use std::{error::Error, fmt};

use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, status::StatusCode},
};
use rustok_telemetry::instrument;
use tracing::field::{Empty, debug, display};

use crate::{receiver::Receiver, start};

pub(crate) fn value<'attributes>(
    attributes: &'attributes [KeyValue],
    key: &str,
) -> Option<&'attributes Value> {
    let mut found = attributes.iter().filter(|attribute| attribute.key == key);
    let first = found.next()?;
    assert_eq!(found.next(), None, "{key} is there once: {attributes:#?}");
    first.value.as_ref()?.value.as_ref()
}

pub(crate) fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

#[track_caller]
pub(crate) fn span(receiver: &Receiver, name: &str) -> Span {
    let spans = receiver.spans();
    let mut named = spans.iter().filter(|span| span.name == name);
    let span = named.next();
    assert!(named.next().is_none(), "{name} is there once: {spans:#?}");
    span.unwrap_or_else(|| panic!("no {name}: {spans:#?}"))
        .clone()
}

/// The values of [`fields`], as they are to arrive.
fn expected() -> Vec<(&'static str, Option<Value>)> {
    vec![
        ("of_u8", Some(Value::IntValue(8))),
        ("of_u16", Some(Value::IntValue(16))),
        ("of_u32", Some(Value::IntValue(200))),
        ("of_u64", Some(Value::IntValue(64))),
        ("of_usize", Some(Value::IntValue(1))),
        ("of_nonzero", Some(Value::IntValue(7))),
        ("of_i32", Some(Value::IntValue(-32))),
        ("largest", Some(Value::IntValue(i64::MAX))),
        ("too_large", Some(text("9223372036854775808"))),
        ("of_u128", Some(Value::IntValue(128))),
        (
            "large_u128",
            Some(text("340282366920938463463374607431768211455")),
        ),
        ("of_i128", Some(Value::IntValue(-128))),
        (
            "small_i128",
            Some(text("-170141183460469231731687303715884105728")),
        ),
        ("of_f32", Some(Value::DoubleValue(0.5))),
        ("of_f64", Some(Value::DoubleValue(-1.25))),
        ("of_bool", Some(Value::BoolValue(true))),
        ("some", Some(Value::IntValue(5))),
        ("none", None),
        ("of_text", Some(text("plain"))),
        ("some_text", Some(text("some"))),
        ("displayed", Some(text("shown"))),
        ("debugged", Some(text("[1, 2]"))),
    ]
}

/// Calls a macro of `tracing` with every type of value.
macro_rules! fields {
    ($macro:ident $(, $first:tt)?) => {
        tracing::$macro!(
            $($first,)?
            of_u8 = 8_u8,
            of_u16 = 16_u16,
            of_u32 = 200_u32,
            of_u64 = 64_u64,
            of_usize = 1_usize,
            of_nonzero = std::num::NonZeroU32::new(7),
            of_i32 = -32_i32,
            largest = i64::MAX as u64,
            too_large = i64::MAX as u64 + 1,
            of_u128 = 128_u128,
            large_u128 = u128::MAX,
            of_i128 = -128_i128,
            small_i128 = i128::MIN,
            of_f32 = 0.5_f32,
            of_f64 = -1.25,
            of_bool = true,
            some = Some(5_u64),
            none = None::<u64>,
            of_text = "plain",
            some_text = Some("some".to_owned()),
            displayed = %"shown",
            debugged = ?[1, 2],
        )
    };
}

#[track_caller]
fn assert_values(attributes: &[KeyValue]) {
    for (key, expected) in expected() {
        assert_eq!(value(attributes, key), expected.as_ref(), "{key}");
    }
}

#[derive(Debug)]
struct Outer(std::num::ParseIntError);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no quantity")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[instrument(name = "of_ours", record(n, big))]
fn of_ours(n: u32, big: u64) {}

#[test_fork::test]
fn values_keep_their_types_on_every_path() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
    ]);
    fields!(info_span, "created").in_scope(|| fields!(info));
    let recorded = tracing::info_span!(
        "recorded",
        n = Empty,
        big = Empty,
        ratio = Empty,
        sure = Empty,
        shown = Empty,
        seen = Empty
    );
    recorded.record("n", 200_u32).record("big", u64::MAX);
    recorded.in_scope(|| {
        recorded.record("ratio", 0.5).record("sure", false);
        recorded
            .record("shown", display("shown"))
            .record("seen", debug("seen"));
    });
    drop(recorded);
    let entered = tracing::info_span!("entered", n = Empty, big = Empty).entered();
    entered.record("n", 200_usize).record("big", 1_u128 << 63);
    drop(entered);
    of_ours(200, u64::MAX);
    assert!(telemetry.shutdown().is_complete());

    let created = span(&receiver, "created");
    assert_values(&created.attributes);
    assert_values(&created.events[0].attributes);
    assert_values(&receiver.only("logs").log_records()[0].attributes);
    let recorded = span(&receiver, "recorded").attributes;
    let [ours, entered] = ["of_ours", "entered"].map(|name| span(&receiver, name).attributes);
    for attributes in [&recorded, &ours, &entered] {
        assert_eq!(value(attributes, "n"), Some(&Value::IntValue(200)));
    }
    for attributes in [&recorded, &ours] {
        assert_eq!(
            value(attributes, "big"),
            Some(&text("18446744073709551615"))
        );
    }
    assert_eq!(value(&entered, "big"), Some(&text("9223372036854775808")));
    assert_eq!(value(&recorded, "ratio"), Some(&Value::DoubleValue(0.5)));
    assert_eq!(value(&recorded, "sure"), Some(&Value::BoolValue(false)));
    assert_eq!(value(&recorded, "shown"), Some(&text("shown")));
    assert_eq!(
        value(&recorded, "seen"),
        Some(&text("\"seen\"")),
        "by `Debug`"
    );
}

#[test_fork::test]
fn values_keep_their_types_in_an_event_with_a_parent() {
    let receiver = Receiver::start();
    let telemetry = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain())]);
    let parent = tracing::info_span!("parent");
    let root = tracing::info_span!("around").entered();
    let child = tracing::info_span!(parent: &parent, "child", n = 1_u64);
    let apart = tracing::info_span!(parent: None, "apart", n = 1_u64);
    tracing::info!(parent: &parent, n = 2_u64, "to the parent");
    tracing::info!(parent: None, n = 2_u64, "to none");
    drop((child, apart, root, parent));
    assert!(telemetry.shutdown().is_complete());
    let [parent, child, apart, around] =
        ["parent", "child", "apart", "around"].map(|name| span(&receiver, name));
    assert_eq!(child.parent_span_id, parent.span_id);
    assert_eq!(apart.parent_span_id, Vec::<u8>::new());
    assert_ne!(apart.trace_id, around.trace_id);
    assert_eq!(around.events, []);
    assert_eq!(parent.events[0].name, "to the parent");
    let n = value(&parent.events[0].attributes, "n");
    assert_eq!(n, Some(&Value::IntValue(2)));
    for attributes in [&child.attributes, &apart.attributes] {
        assert_eq!(value(attributes, "n"), Some(&Value::IntValue(1)));
    }
}

#[test_fork::test]
fn errors_beside_a_number_keep_their_message_and_sources() {
    let receiver = Receiver::start();
    let telemetry = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain())]);
    let failure = || Outer("x".parse::<u8>().expect_err("no number"));
    let error = failure();
    let error: &(dyn Error + 'static) = &error;
    tracing::info_span!("failed", n = 1_u64).in_scope(|| {
        tracing::warn!(error, n = 2_u64);
    });
    drop(tracing::info_span!("created", error, n = 3_u64));
    assert!(telemetry.shutdown().is_complete());
    let [failed, created] = ["failed", "created"].map(|name| span(&receiver, name).clone());
    let event = &failed.events[0].attributes;
    for (attributes, n) in [(event, 2), (&created.attributes, 3)] {
        assert_eq!(value(attributes, "n"), Some(&Value::IntValue(n)));
        for key in ["error", "exception.message"] {
            assert_eq!(value(attributes, key), Some(&text("no quantity")), "{key}");
        }
        for key in ["error.chain", "exception.stacktrace"] {
            let Some(Value::ArrayValue(chain)) = value(attributes, key) else {
                panic!("{key}: {attributes:#?}");
            };
            let chain: Vec<_> = chain.values.iter().map(|one| one.value.clone()).collect();
            assert_eq!(
                chain,
                [Some(text("invalid digit found in string"))],
                "{key}"
            );
        }
    }
}

#[test_fork::test]
fn an_error_that_is_text_has_no_quotes() {
    let receiver = Receiver::start();
    let telemetry = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain())]);
    tracing::info_span!("work").in_scope(|| tracing::error!(error = "the \"till\" is empty"));
    tracing::info_span!("owned").in_scope(|| tracing::error!(error = format!("no {}", 1)));
    assert!(telemetry.shutdown().is_complete());
    for (name, message) in [("work", "the \"till\" is empty"), ("owned", "no 1")] {
        let span = span(&receiver, name);
        let status = span.status.expect("a status");
        assert_eq!(
            (status.code(), &*status.message),
            (StatusCode::Error, message)
        );
        let event = &span.events[0];
        assert_eq!(event.name, "exception");
        assert_eq!(
            value(&event.attributes, "exception.message"),
            Some(&text(message))
        );
    }
}

/// Which of a status' fields are recorded, in this order.
type Order = [(&'static str, &'static str)];

const CODE: (&str, &str) = ("otel.status_code", "ERROR");
const DESCRIPTION: (&str, &str) = ("otel.status_description", "card declined");

fn record_all(span: &tracing::Span, order: &Order) {
    for (field, value) in order {
        span.record(*field, *value);
    }
}

fn status_of(receiver: &Receiver, name: &str) -> (StatusCode, String) {
    let status = span(receiver, name).status.unwrap_or_default();
    (status.code(), status.message)
}

#[test_fork::test]
fn a_status_has_its_description_in_any_order() {
    let receiver = Receiver::start();
    let telemetry = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain())]);
    let orders: [(&str, &Order); 4] = [
        ("code first", &[CODE, DESCRIPTION]),
        ("description first", &[DESCRIPTION, CODE]),
        ("description alone", &[DESCRIPTION]),
        ("twice", &[CODE, DESCRIPTION, CODE]),
    ];
    let new = |name: &str| {
        tracing::info_span!(
            "work",
            otel.name = name,
            otel.status_code = Empty,
            otel.status_description = Empty
        )
    };
    for (name, order) in orders {
        let entered = new(&format!("{name}, entered")).entered();
        record_all(&entered, order);
        let waiting = new(name);
        record_all(&waiting, order);
    }
    let (error, why) = (CODE.1, DESCRIPTION.1);
    drop(tracing::info_span!(
        "created",
        otel.status_code = error,
        otel.status_description = why
    ));
    drop(tracing::info_span!(
        "reversed",
        otel.status_description = why,
        otel.status_code = error
    ));
    let span = tracing::info_span!(
        "both",
        otel.status_description = why,
        otel.status_code = Empty
    );
    span.record(CODE.0, error);
    drop(span);
    // The latest description is that of the status, whatever its first letter.
    for (name, descriptions) in [("up", ["a", "b"]), ("down", ["b", "a"])] {
        let span = new(name).entered();
        for description in descriptions {
            span.record("otel.status_description", description);
        }
    }
    // A success is final, as the specification says.
    let span = new("well after all").entered();
    span.record("otel.status_description", why);
    span.record("otel.status_code", "OK");
    span.record("otel.status_code", "ERROR");
    drop(span);
    assert!(telemetry.shutdown().is_complete());

    let failed = (StatusCode::Error, why.to_owned());
    for (name, _) in orders {
        assert_eq!(status_of(&receiver, name), failed, "{name}");
        let name = format!("{name}, entered");
        assert_eq!(status_of(&receiver, &name), failed, "{name}");
    }
    for name in ["created", "reversed", "both"] {
        assert_eq!(status_of(&receiver, name), failed, "{name}");
    }
    assert_eq!(
        status_of(&receiver, "up"),
        (StatusCode::Error, "b".to_owned())
    );
    assert_eq!(
        status_of(&receiver, "down"),
        (StatusCode::Error, "a".to_owned())
    );
    assert_eq!(status_of(&receiver, "well after all").0, StatusCode::Ok);
}
