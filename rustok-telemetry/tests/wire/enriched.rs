//! Log records with the fields of the spans around them, and with key-values of the `log` crate.

use opentelemetry_proto::tonic::{common::v1::any_value::Value, logs::v1::LogRecord};
use tracing::field::Empty;

use crate::{
    builder,
    receiver::Receiver,
    values::{text, value},
};

/// The records of what `work` logs with these variables.
fn records(
    enrich: Option<bool>,
    variables: &[(&str, &str)],
    work: impl FnOnce(),
) -> Vec<LogRecord> {
    let receiver = Receiver::start();
    let endpoint = receiver.plain();
    let mut all = vec![
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
    ];
    all.extend_from_slice(variables);
    let builder = builder(&all);
    let builder = match enrich {
        Some(enrich) => builder.enrich_log_records(enrich),
        None => builder,
    };
    let telemetry = builder.init().expect("telemetry starts");
    work();
    assert!(telemetry.shutdown().is_complete());
    receiver.only("logs").log_records()
}

fn log_within_spans() {
    let request = tracing::info_span!(
        "request",
        otel.name = "GET /orders",
        tenant_id = "acme",
        order = 17_u64,
        step = "outer",
        name = "outer",
        later = Empty,
        never = Empty,
    );
    let _request = request.enter();
    request.record("later", 1_u64).record("later", u64::MAX);
    let hidden = tracing::debug_span!("hidden", secret = "not shown in lines").entered();
    let inner =
        tracing::info_span!("inner", step = "inner", ratio = 0.5, sure = true, shown = %"x");
    inner.in_scope(|| tracing::info!(name = "own", "seen"));
    log::info!(name = "of log", count = 3_u64, ratio:? = 1.5, step = "log", gone = None::<u8>; "logged");
    log::info!("without");
    tracing::info!("after");
    drop(hidden);
    tracing::info!(parent: None, "outside");
    tracing::info!(parent: &inner, "by its parent");
}

#[test_fork::test]
fn a_record_has_the_fields_of_the_spans_around_it() {
    let records = records(Some(true), &[], log_within_spans);
    let [seen, logged, without, after, outside, by_parent] = &records[..] else {
        panic!("{records:#?}");
    };
    let of = |record: &LogRecord, key: &str| value(&record.attributes, key).cloned();
    for record in [seen, logged, without, after, by_parent] {
        assert_eq!(of(record, "order"), Some(Value::IntValue(17)));
        assert_eq!(of(record, "later"), Some(text("18446744073709551615")));
        assert_eq!(of(record, "tenant_id"), Some(text("acme")));
        for key in ["never", "otel.name", "secret"] {
            assert_eq!(of(record, key), None, "{key}");
        }
    }
    assert_eq!(of(seen, "name"), Some(text("own")));
    for record in [seen, by_parent] {
        assert_eq!(of(record, "step"), Some(text("inner")));
        assert_eq!(of(record, "ratio"), Some(Value::DoubleValue(0.5)));
        assert_eq!(of(record, "sure"), Some(Value::BoolValue(true)));
        assert_eq!(of(record, "shown"), Some(text("x")));
    }
    assert_eq!(of(logged, "name"), Some(text("of log")));
    assert_eq!(of(logged, "step"), Some(text("log")));
    assert_eq!(of(logged, "count"), Some(Value::IntValue(3)));
    assert_eq!(of(logged, "gone"), None);
    for record in [without, after] {
        assert_eq!(of(record, "name"), Some(text("outer")));
        assert_eq!(of(record, "step"), Some(text("outer")));
        assert_eq!(of(record, "count"), None);
    }
    assert!(outside.attributes.is_empty(), "{outside:?}");
}

#[test_fork::test]
fn by_default_a_record_has_its_own_fields_only() {
    for record in records(None, &[], log_within_spans) {
        for key in ["order", "step", "count", "later"] {
            assert_eq!(value(&record.attributes, key), None, "{key}");
        }
    }
}

#[test_fork::test]
fn fields_of_spans_count_in_the_limits_after_those_of_the_event() {
    let limits = [
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "3"),
        ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "2"),
    ];
    let records = records(Some(true), &limits, || {
        let _outer = tracing::info_span!("outer", c = "cccc", d = "dddd").entered();
        let _inner = tracing::info_span!("inner", a = "of a span", b = "bbbb").entered();
        tracing::info!(own = "oooo", a = "aaaa", "seen");
    });
    let keys: Vec<_> = records[0].attributes.iter().map(|it| &*it.key).collect();
    assert_eq!(keys, ["own", "a", "b"]);
    for key in ["own", "a", "b"] {
        let letters = key.chars().next().expect("a letter").to_string().repeat(2);
        assert_eq!(value(&records[0].attributes, key), Some(&text(&letters)));
    }
}
