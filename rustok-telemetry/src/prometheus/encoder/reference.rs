//! The text against that of `opentelemetry-prometheus` and `prometheus::TextEncoder`, byte for byte but for the order of
//! the lines.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry::{
    Array, InstrumentationScope, KeyValue, Value,
    metrics::{Meter, MeterProvider},
};
use opentelemetry_sdk::{
    Resource,
    metrics::{SdkMeterProvider, data::ResourceMetrics, reader::MetricReader},
};
use prometheus::{Encoder, Registry, TextEncoder};
use proptest::prelude::*;

use super::{Exposition, text_of};
use crate::{
    metrics::{
        Declaration, Kind, Label, NONE, ValueType,
        instrument::{Counter, Gauge, Histogram, Instrument, Storage, UpDownCounter},
        store::{point::VisitSeries, series::Series},
    },
    prometheus::reader::TextReader,
};

/// A provider that both texts are made of.
struct Both {
    provider: SdkMeterProvider,
    registry: Registry,
    reader: TextReader,
}

impl Both {
    fn new(resource: Resource) -> Self {
        let (registry, reader) = (Registry::new(), TextReader::default());
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .without_units()
            .without_counter_suffixes()
            .scope_info_enabled(false)
            .build()
            .expect("a reader");
        let provider = SdkMeterProvider::builder()
            .with_resource(resource)
            .with_reader(exporter)
            .with_reader(reader.clone())
            .build();
        Self {
            provider,
            registry,
            reader,
        }
    }

    fn theirs(&self) -> String {
        let mut text = Vec::new();
        let families = self.registry.gather();
        TextEncoder::new()
            .encode(&families, &mut text)
            .expect("the text is written");
        String::from_utf8(text).expect("text")
    }

    fn ours(&self, exposition: &mut Exposition) -> String {
        let mut collected = ResourceMetrics::default();
        self.reader.collect(&mut collected).expect("a collection");
        exposition.text(&[], &collected).text
    }
}

/// The lines by what they are about, which is a series or the head of a family. Of a series that the SDK has twice, as
/// attributes become the same labels, theirs has both, in any order.
fn lines(text: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut lines: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for line in text.lines() {
        let about = match line.starts_with('#') {
            true => line,
            false => line.rsplit_once(' ').map_or(line, |(series, _)| series),
        };
        lines.entry(about).or_default().insert(line);
    }
    lines
}

/// What is only in one of the texts; but ours has one of two samples of a series.
fn differences<'text>(theirs: &'text str, ours: &'text str) -> Vec<&'text str> {
    let (theirs, ours) = (lines(theirs), lines(ours));
    let missing = theirs.keys().filter(|about| !ours.contains_key(*about));
    let other = ours.iter().flat_map(|(about, lines)| {
        let known = theirs.get(about);
        { lines.iter() }.filter(move |line| known.is_none_or(|known| !known.contains(*line)))
    });
    missing.chain(other).copied().collect()
}

/// An instrument of the SDK's.
#[derive(Debug, Clone)]
struct SdkMetric {
    kind: usize,
    scope: usize,
    name: &'static str,
    help: String,
    records: Vec<(Vec<KeyValue>, Numbers)>,
}

/// One number in each type.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    whole: u64,
    signed: i64,
    float: f64,
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let whole = prop_oneof![0_u64..1000, 0_u64..(1 << 60)];
    let signed = prop_oneof![-1000_i64..1000, -(1_i64 << 60)..(1 << 60)];
    let odd = [
        0.0,
        -0.0,
        1e300,
        1e-300,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    let float = prop_oneof![
        any::<f64>(),
        -10.0..10.0,
        proptest::sample::select(odd.to_vec())
    ];
    (whole, signed, float).prop_map(|(whole, signed, float)| Numbers {
        whole,
        signed,
        float,
    })
}

/// Letters that are escaped, letters that are not ASCII, and others.
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

/// Some of these become the same label.
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
    let keys = proptest::sample::subsequence(keys.to_vec(), 0..5).prop_shuffle();
    (keys, proptest::collection::vec(value(), 5)).prop_map(|(keys, values)| {
        let pairs = keys.into_iter().zip(values);
        pairs
            .map(|(key, value)| KeyValue::new(key, value))
            .collect()
    })
}

const KINDS: usize = 12;

fn of_sdk() -> impl Strategy<Value = Vec<SdkMetric>> {
    let names = [
        "requests_total",
        "http.server.duration",
        "a-b",
        "c/d_seconds",
        "Big",
        "x",
        "y_ratio",
        "z9",
    ];
    let instrument = (
        0..KINDS,
        0_usize..3,
        odd_text(),
        proptest::collection::vec((attributes(), numbers()), 0..8),
    );
    let instruments = proptest::collection::vec(instrument, names.len());
    let names = proptest::sample::subsequence(names.to_vec(), 1..=names.len());
    (names, instruments).prop_map(|(names, instruments)| {
        let pairs = names.into_iter().zip(instruments);
        pairs
            .map(|(name, (kind, scope, help, records))| SdkMetric {
                kind,
                scope,
                name,
                help,
                records,
            })
            .collect()
    })
}

impl SdkMetric {
    /// Makes the instrument, and records.
    fn make(self, provider: &SdkMeterProvider) {
        let scope = InstrumentationScope::builder(["one", "two", "zwei/drei"][self.scope])
            .with_version("1")
            .build();
        let meter = provider.meter_with_scope(scope);
        let (name, help, records) = (self.name, self.help, self.records);
        macro_rules! recorded {
            ($build:ident, $record:ident, $number:expr) => {{
                let instrument = meter
                    .$build(name)
                    .with_unit("By")
                    .with_description(help)
                    .build();
                for (attributes, numbers) in records {
                    instrument.$record($number(numbers), &attributes);
                }
            }};
        }
        macro_rules! observed {
            ($build:ident, $number:expr) => {{
                let callback = move |observer: &dyn opentelemetry::metrics::AsyncInstrument<_>| {
                    for (attributes, numbers) in &records {
                        observer.observe($number(*numbers), attributes);
                    }
                };
                meter
                    .$build(name)
                    .with_description(help)
                    .with_callback(callback)
                    .build();
            }};
        }
        let positive = |numbers: Numbers| numbers.float.abs();
        match self.kind {
            0 => recorded!(u64_counter, add, |numbers: Numbers| numbers.whole),
            1 => recorded!(f64_counter, add, positive),
            2 => recorded!(i64_up_down_counter, add, |numbers: Numbers| numbers.signed),
            3 => recorded!(f64_up_down_counter, add, |numbers: Numbers| numbers.float),
            4 => recorded!(u64_gauge, record, |numbers: Numbers| numbers.whole),
            5 => recorded!(i64_gauge, record, |numbers: Numbers| numbers.signed),
            6 => recorded!(f64_gauge, record, |numbers: Numbers| numbers.float),
            7 => histogram(&meter, name, help, &[-1.0, 0.0, 0.1, 2.5, 1e21], records),
            8 => histogram(&meter, name, help, &[], records),
            9 => recorded!(u64_histogram, record, |numbers: Numbers| numbers.whole >> 8),
            10 => observed!(f64_observable_gauge, |numbers: Numbers| numbers.float),
            _ => observed!(u64_observable_counter, |numbers: Numbers| numbers.whole),
        }
    }
}

fn histogram(
    meter: &Meter,
    name: &'static str,
    help: String,
    boundaries: &[f64],
    records: Vec<(Vec<KeyValue>, Numbers)>,
) {
    let histogram = meter
        .f64_histogram(name)
        .with_boundaries(boundaries.to_vec())
        .with_description(help)
        .build();
    for (attributes, numbers) in records {
        histogram.record(numbers.float, &attributes);
    }
}

fn resource(attributes: Vec<KeyValue>) -> Resource {
    Resource::builder_empty()
        .with_attributes(attributes)
        .build()
}

const fn declared(name: &'static str, kind: Kind, value: ValueType) -> Declaration {
    Declaration {
        name,
        kind,
        value,
        unit: "",
        help: "With \\ and\na \"second\" line.",
        labels: &[
            Label {
                name: "tenant_id",
                budget: 100,
            },
            Label {
                name: "event_type",
                budget: 100,
            },
        ],
        boundaries: match kind {
            Kind::Histogram => &[0.0, 0.1, 0.5, 2.5, 1e21],
            _ => &[],
        },
        series: None,
        function: "record",
        timer: None,
        module: module_path!(),
    }
}

static COUNTER: Declaration = declared("a_total", Kind::Counter, ValueType::U64);
static FLOAT_COUNTER: Declaration = declared("b_total", Kind::Counter, ValueType::F64);
static UP_DOWN: Declaration = declared("c", Kind::UpDownCounter, ValueType::I64);
static GAUGE: Declaration = declared("d", Kind::Gauge, ValueType::F64);
static HISTOGRAM: Declaration = declared("e_seconds", Kind::Histogram, ValueType::F64);
static WHOLE_HISTOGRAM: Declaration = declared("f_bytes", Kind::Histogram, ValueType::U64);

type OwnRecord = ([String; 2], Numbers);

/// Records in series of ours and in an instrument of the SDK's, and writes ours.
fn own_text<I: Instrument>(
    declaration: &'static Declaration,
    records: &[OwnRecord],
    number: impl Fn(Numbers) -> I::Value,
    record: impl Fn(I::Value, &[KeyValue]),
) -> String {
    let handle = I::create(declaration, Storage::Native, declaration.boundaries);
    let series = Series::<I, 2>::new(declaration, handle);
    for (labels, numbers) in records {
        let labels = labels.each_ref().map(String::as_str);
        series.record(labels, number(*numbers));
        // Ours never has an empty value.
        let names = declaration.labels.iter().map(|label| label.name);
        let values = labels.map(|value| if value.is_empty() { NONE } else { value });
        let attributes: Vec<_> = names
            .zip(values)
            .map(|(name, value)| KeyValue::new(name, value.to_owned()))
            .collect();
        record(number(*numbers), &attributes);
    }
    let read = |visit: VisitSeries<'_>| series.read(visit);
    text_of([(declaration, read)].into_iter())
}

/// Ours are not recorded when they are not finite.
fn finite(numbers: Numbers) -> f64 {
    match numbers.float.is_finite() {
        true => numbers.float,
        false => 0.5,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_the_sdk_has_is_written_as_theirs_is(of_resource in attributes(), instruments in of_sdk()) {
        let both = Both::new(resource(of_resource));
        instruments.into_iter().for_each(|instrument| instrument.make(&both.provider));
        let mut exposition = Exposition::default();
        let theirs = both.theirs();
        for _ in 0..2 {
            let ours = both.ours(&mut exposition);
            prop_assert_eq!(differences(&theirs, &ours), [""; 0]);
            prop_assert_eq!(lines(&ours).len(), ours.lines().count(), "a sample is there twice");
        }
    }

    #[test]
    fn what_we_keep_is_written_as_theirs_is(
        records in proptest::collection::vec(([odd_text(), odd_text()], numbers()), 0..20)
    ) {
        let both = Both::new(Resource::builder_empty().build());
        let meter = both.provider.meter("reference");
        macro_rules! ours {
            ($declaration:ident: $kind:ty, $number:expr, $build:ident, $record:ident $(, $boundaries:ident)?) => {{
                let theirs = meter.$build($declaration.name).with_description($declaration.help);
                $(let theirs = theirs.$boundaries($declaration.boundaries.to_vec());)?
                let theirs = theirs.build();
                own_text::<$kind>(&$declaration, &records, $number, |number, labels| theirs.$record(number, labels))
            }};
        }
        let ours = [
            ours!(COUNTER: Counter<u64>, |numbers| numbers.whole, u64_counter, add),
            ours!(FLOAT_COUNTER: Counter<f64>, |numbers| finite(numbers).abs(), f64_counter, add),
            ours!(UP_DOWN: UpDownCounter<i64>, |numbers| numbers.signed, i64_up_down_counter, add),
            ours!(GAUGE: Gauge<f64>, finite, f64_gauge, record),
            ours!(HISTOGRAM: Histogram<f64>, |numbers| finite(numbers).abs(), f64_histogram, record, with_boundaries),
            ours!(WHOLE_HISTOGRAM: Histogram<u64>, |numbers| numbers.whole >> 8, u64_histogram, record, with_boundaries),
        ]
        .concat();
        let theirs = both.theirs();
        prop_assert_eq!(differences(&theirs, &ours), [""; 0]);
    }
}

#[test]
fn what_is_left_out_is_told_once() {
    let both = Both::new(Resource::builder_empty().build());
    let (one, two) = (both.provider.meter("one"), both.provider.meter("two"));
    let labels = [KeyValue::new("a", 1)];
    one.u64_counter("repeated").build().add(1, &labels);
    two.u64_counter("repeated").build().add(1, &labels);
    one.u64_counter("typed").build().add(1, &labels);
    two.u64_gauge("typed").build().record(1, &labels);
    let mut exposition = Exposition::default();
    let mut told = || {
        let mut collected = ResourceMetrics::default();
        both.reader.collect(&mut collected).expect("a collection");
        let left_out = exposition.text(&[], &collected).left_out.into_iter();
        left_out.map(|metric| metric.name).collect::<Vec<_>>()
    };
    assert_eq!(told(), ["typed", "repeated"]);
    assert_eq!(told(), [""; 0]);
    two.u64_gauge("repeated").build().record(1, &labels);
    assert_eq!(told(), ["repeated"], "for another reason");
}

#[test]
fn of_attributes_that_become_the_same_labels_one_stays_for_good() {
    for _ in 0..20 {
        let both = Both::new(Resource::builder_empty().build());
        let counter = both.provider.meter("one").u64_counter("requests").build();
        let keys = ["b_c", "b.c", "b-c"];
        let values = [Value::I64(1), Value::from("1")];
        for (at, key) in keys.iter().enumerate() {
            for (by, value) in values.iter().enumerate() {
                let added = (at * 10 + by) as u64;
                counter.add(added, &[KeyValue::new(*key, value.clone())]);
            }
        }
        let ours = both.ours(&mut Exposition::default());
        assert!(ours.contains("requests{b_c=\"1\"} 21\n"), "{ours}");
    }
}
