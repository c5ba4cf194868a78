//! Compares the text with that of `opentelemetry-prometheus` and `prometheus::TextEncoder`: the lines are equal, except
//! for their order.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry::{
    Array, InstrumentationScope, KeyValue, Value, global,
    metrics::{AsyncInstrument, Meter, MeterProvider},
};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider};
use prometheus::{Encoder, Registry, TextEncoder};
use proptest::{prelude::*, sample, strategy::ValueTree, test_runner::TestRunner};
use rustok_telemetry::{metrics::NONE, testing};

use crate::support::{samples, text, text_only};

#[rustok_telemetry::metrics(namespace = "native")]
mod native {
    /// With \ and "quotes".
    #[counter(name = "a_total")]
    pub fn add_a(tenant_id: &str, event_type: &str, value: u64);

    /// A counter.
    #[counter(name = "b_total")]
    pub fn add_b(tenant_id: &str, event_type: &str, value: f64);

    /// An up-down counter.
    #[up_down_counter(name = "c")]
    pub fn add_c(tenant_id: &str, event_type: &str, value: i64);

    /// A gauge.
    #[gauge(name = "d")]
    pub fn set_d(tenant_id: &str, event_type: &str, value: f64);

    /// A histogram.
    #[histogram(name = "e_seconds", boundaries = [0.0, 0.1, 0.5, 2.5, 1e21])]
    pub fn record_e(tenant_id: &str, event_type: &str, value: f64);

    /// A histogram of integers.
    #[histogram(name = "f_bytes", boundaries = [0.0, 0.1, 0.5, 2.5, 1e21])]
    pub fn record_f(tenant_id: &str, event_type: &str, value: u64);
}

/// A meter provider that is exported by the reference.
struct Reference {
    provider: SdkMeterProvider,
    registry: Registry,
}

impl Reference {
    fn new() -> Self {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .without_units()
            .without_counter_suffixes()
            .scope_info_enabled(false)
            .build()
            .expect("a reader");
        let provider = SdkMeterProvider::builder()
            .with_resource(Resource::builder_empty().build())
            .with_reader(exporter)
            .build();
        Self { provider, registry }
    }

    fn text(&self) -> String {
        let mut text = Vec::new();
        let families = self.registry.gather();
        TextEncoder::new()
            .encode(&families, &mut text)
            .expect("the text is written");
        String::from_utf8(text).expect("text")
    }
}

/// The lines by series or head of a family. The reference has duplicates of a series, in any order, if attributes
/// become the same labels.
fn lines(text: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut lines: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for line in text.lines() {
        let key = match line.starts_with('#') {
            true => line,
            false => line.rsplit_once(' ').map_or(line, |(series, _)| series),
        };
        lines.entry(key).or_default().insert(line);
    }
    lines
}

/// The series that only one of the texts has. Of duplicates in the reference, `actual` may have any.
fn differences<'text>(reference: &'text str, actual: &'text str) -> Vec<&'text str> {
    let (reference, actual) = (lines(reference), lines(actual));
    let missing = reference.keys().filter(|key| !actual.contains_key(*key));
    let other = actual.iter().flat_map(|(key, lines)| {
        let expected = reference.get(key);
        { lines.iter() }.filter(move |line| expected.is_none_or(|lines| !lines.contains(*line)))
    });
    missing.chain(other).copied().collect()
}

/// One number of each type.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    unsigned: u64,
    signed: i64,
    float: f64,
}

impl Numbers {
    /// A float that native metrics accept.
    fn finite(self) -> f64 {
        match self.float.is_finite() {
            true => self.float,
            false => 0.5,
        }
    }
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let unsigned = prop_oneof![0_u64..1000, 0_u64..(1 << 60), any::<u64>()];
    let signed = prop_oneof![-1000_i64..1000, -(1_i64 << 60)..(1 << 60), Just(i64::MIN)];
    let special = [
        0.0,
        -0.0,
        1e21,
        1e300,
        1e-300,
        f64::MAX,
        9_007_199_254_740_993.0,
        9_223_372_036_854_775_808.0,
        -9_223_372_036_854_775_808.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    let float = prop_oneof![any::<f64>(), -10.0..10.0, sample::select(special.to_vec())];
    (unsigned, signed, float).prop_map(|(unsigned, signed, float)| Numbers {
        unsigned,
        signed,
        float,
    })
}

/// Text with characters that are escaped or not ASCII.
fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![r#"["\\\na-c{},= äö\u{1F980}]{0,6}"#, "\\PC{0,4}"]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => odd_text().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => proptest::collection::vec(odd_text(), 0..3).prop_map(|texts| {
            Value::Array(Array::String(texts.into_iter().map(Into::into).collect()))
        }),
    ]
}

/// Attributes, some of which become the same label.
fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let keys = [
        "a",
        "b.c",
        "b_c",
        "b-c",
        "tenant id",
        "größe",
        "Z",
        "_z",
        "le_",
    ];
    let keys = sample::subsequence(keys.to_vec(), 0..5).prop_shuffle();
    (keys, proptest::collection::vec(value(), 5)).prop_map(|(keys, values)| {
        let pairs = keys.into_iter().zip(values);
        pairs
            .map(|(key, value)| KeyValue::new(key, value))
            .collect()
    })
}

/// An SDK instrument with its records.
#[derive(Debug, Clone)]
struct Instrument {
    kind: usize,
    scope: usize,
    name: &'static str,
    help: String,
    records: Vec<(Vec<KeyValue>, Numbers)>,
}

const KINDS: usize = 12;

fn instrument() -> impl Strategy<Value = Instrument> {
    let names = [
        "requests_total",
        "http.server.duration",
        "a-b",
        "c/d_seconds",
        "Big",
        "y_ratio",
    ];
    let records = proptest::collection::vec((attributes(), numbers()), 0..8);
    let parts = (
        0..KINDS,
        0..3_usize,
        sample::select(names.to_vec()),
        odd_text(),
        records,
    );
    parts.prop_map(|(kind, scope, name, help, records)| Instrument {
        kind,
        scope,
        name,
        help,
        records,
    })
}

impl Instrument {
    fn scope(&self) -> InstrumentationScope {
        let name = ["one", "two", "zwei/drei"][self.scope];
        InstrumentationScope::builder(name)
            .with_version("1")
            .build()
    }

    /// Creates the instrument and records. `number` makes its name unique.
    fn record(self, meter: &Meter, number: usize) {
        let name = format!("{}_{number}", self.name);
        let (help, records) = (self.help, self.records);
        macro_rules! recorded {
            ($build:ident, $record:ident, $value:expr $(, $boundaries:expr)?) => {{
                let builder = meter.$build(name).with_unit("By").with_description(help);
                $(let builder = builder.with_boundaries($boundaries);)?
                let instrument = builder.build();
                for (attributes, numbers) in records {
                    instrument.$record($value(numbers), &attributes);
                }
            }};
        }
        macro_rules! observed {
            ($build:ident, $value:expr) => {{
                let callback = move |observer: &dyn AsyncInstrument<_>| {
                    for (attributes, numbers) in &records {
                        observer.observe($value(*numbers), attributes);
                    }
                };
                let builder = meter.$build(name).with_description(help);
                builder.with_callback(callback).build();
            }};
        }
        let unsigned = |numbers: Numbers| numbers.unsigned;
        let signed = |numbers: Numbers| numbers.signed;
        let float = |numbers: Numbers| numbers.float;
        match self.kind {
            0 => recorded!(u64_counter, add, unsigned),
            1 => recorded!(f64_counter, add, |numbers: Numbers| numbers.float.abs()),
            2 => recorded!(i64_up_down_counter, add, signed),
            3 => recorded!(f64_up_down_counter, add, float),
            4 => recorded!(u64_gauge, record, unsigned),
            5 => recorded!(i64_gauge, record, signed),
            6 => recorded!(f64_gauge, record, float),
            7 => recorded!(
                f64_histogram,
                record,
                float,
                vec![-1.0, 0.0, 0.1, 2.5, 1e21]
            ),
            8 => recorded!(f64_histogram, record, float, vec![]),
            9 => recorded!(u64_histogram, record, |numbers: Numbers| numbers.unsigned
                >> 8),
            10 => observed!(f64_observable_gauge, float),
            _ => observed!(u64_observable_counter, unsigned),
        }
    }
}

#[test_fork::test]
fn sdk_metrics_are_written_like_the_reference() {
    let telemetry = text_only()
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    let reference = Reference::new();
    let mut runner = TestRunner::deterministic();
    for number in 0..400 {
        let instrument = instrument()
            .new_tree(&mut runner)
            .expect("a value")
            .current();
        let scope = instrument.scope();
        let expected = reference.provider.meter_with_scope(scope.clone());
        instrument.clone().record(&expected, number);
        instrument.record(&global::meter_with_scope(scope), number);
    }
    let expected = reference.text();
    for _ in 0..2 {
        let text = text();
        let foreign = |line: &&str| {
            !["rustok_", "process_", "target_info"]
                .iter()
                .any(|name| line.contains(name))
        };
        let actual: String = text
            .lines()
            .filter(foreign)
            .flat_map(|line| [line, "\n"])
            .collect();
        assert_eq!(differences(&expected, &actual), [""; 0]);
        assert_eq!(lines(&actual).len(), actual.lines().count(), "a duplicate");
    }
    let _ = telemetry.shutdown();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn native_metrics_are_written_like_the_reference(
        records in proptest::collection::vec(([odd_text(), odd_text()], numbers()), 0..20)
    ) {
        let (telemetry, reference) = (testing::capture(), Reference::new());
        let meter = reference.provider.meter("reference");
        macro_rules! both {
            ($native:ident, $value:expr, $build:ident, $record:ident, $name:literal, $help:literal $(, $boundaries:expr)?) => {{
                let builder = meter.$build($name).with_description($help);
                $(let builder = builder.with_boundaries($boundaries);)?
                let expected = builder.build();
                for (labels, numbers) in &records {
                    let [tenant, event] = labels.each_ref().map(String::as_str);
                    native::$native(tenant, event, $value(*numbers));
                    let [tenant, event] =
                        [tenant, event].map(|value| if value.is_empty() { NONE } else { value });
                    let attributes = [("tenant_id", tenant), ("event_type", event)];
                    let attributes =
                        attributes.map(|(name, value)| KeyValue::new(name, value.to_owned()));
                    expected.$record($value(*numbers), &attributes);
                }
            }};
        }
        let unsigned = |numbers: Numbers| numbers.unsigned;
        let positive = |numbers: Numbers| numbers.finite().abs();
        let small = |numbers: Numbers| numbers.unsigned >> 8;
        let boundaries = || vec![0.0, 0.1, 0.5, 2.5, 1e21];
        both!(add_a, unsigned, u64_counter, add, "native_a_total", "With \\ and \"quotes\".");
        both!(add_b, positive, f64_counter, add, "native_b_total", "A counter.");
        both!(add_c, |numbers: Numbers| numbers.signed, i64_up_down_counter, add, "native_c", "An up-down counter.");
        both!(set_d, Numbers::finite, f64_gauge, record, "native_d", "A gauge.");
        both!(record_e, positive, f64_histogram, record, "native_e_seconds", "A histogram.", boundaries());
        both!(record_f, small, u64_histogram, record, "native_f_bytes", "A histogram of integers.", boundaries());
        let (expected, actual) = (reference.text(), telemetry.text());
        prop_assert_eq!(differences(&expected, &actual), [""; 0]);
    }
}

#[test_fork::test]
fn each_skipped_metric_is_logged_once() {
    let telemetry = text_only()
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    let logs = testing::capture();
    let skipped = || {
        let _ = text();
        let lines = logs.logs().into_iter();
        let messages = lines.filter_map(|line| {
            let rest = line.message.strip_prefix("not all of the metric ")?;
            Some(rest.split(' ').next()?.to_owned())
        });
        messages.collect::<Vec<_>>()
    };
    let (one, two) = (global::meter("one"), global::meter("two"));
    let labels = [KeyValue::new("a", 1)];
    one.u64_counter("repeated").build().add(1, &labels);
    two.u64_counter("repeated").build().add(1, &labels);
    one.u64_counter("typed").build().add(1, &labels);
    two.u64_gauge("typed").build().record(1, &labels);
    assert_eq!(skipped(), ["typed", "repeated"]);
    assert_eq!(skipped(), ["typed", "repeated"]);
    two.u64_gauge("repeated").build().record(1, &labels);
    assert_eq!(
        skipped(),
        ["typed", "repeated", "repeated"],
        "another reason"
    );
    drop(logs);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn the_same_one_of_duplicate_series_is_written() {
    let telemetry = text_only().init().expect("telemetry starts");
    for number in 0..20 {
        let name = format!("requests_{number}");
        let counter = global::meter("one").u64_counter(name.clone()).build();
        let values = [Value::I64(1), Value::from("1")];
        for (tens, key) in ["b_c", "b.c", "b-c"].iter().enumerate() {
            for (ones, value) in values.iter().enumerate() {
                let added = (tens * 10 + ones) as u64;
                counter.add(added, &[KeyValue::new(*key, value.clone())]);
            }
        }
        assert_eq!(samples(&text(), &name)["{b_c=\"1\"}"], "21");
    }
    let _ = telemetry.shutdown();
}
