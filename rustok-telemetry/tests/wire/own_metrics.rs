//! Every kind of metric as a receiver gets it.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, HistogramDataPoint, Metric, NumberDataPoint, Sum, metric::Data,
        number_data_point::Value,
    },
};

use rustok_telemetry::config::{TelemetryConfig, View, ViewAggregation};

use crate::{foreign_meter, receiver::Receiver, start};

#[rustok_telemetry::metrics(namespace = "wire")]
mod declared {
    /// Rows written.
    #[counter(name = "rows_total")]
    pub(super) fn record_rows(table: &str, database: &str, rows: u64);

    /// Time on the processor.
    #[counter(name = "cpu_seconds_total")]
    pub(super) fn record_cpu(seconds: f64);

    /// Balance of the account.
    #[gauge(name = "balance", unit = "EUR")]
    pub(super) fn update_balance(account: &str, balance: i64);

    /// Memory in use.
    #[gauge(name = "memory_bytes")]
    pub(super) fn update_memory(bytes: u64);

    /// Connections that are open.
    #[up_down_counter(name = "connections")]
    pub(super) fn add_connections(change: i64);

    /// Weight on the scales.
    #[up_down_counter(name = "weight", unit = "kg")]
    pub(super) fn add_weight(change: f64);

    /// Time spent waiting.
    #[histogram(name = "wait_seconds", boundaries = [0.25, 0.5, 1.0])]
    pub(super) fn record_wait(queue: &str, seconds: f64);

    /// Size of answers.
    #[histogram(name = "answer_bytes", boundaries = [1_000.0, 1_000_000.0])]
    pub(super) fn record_answer(bytes: u64);

    /// Depth of the well.
    #[observable_gauge(name = "well_depth", unit = "m", observe = super::report_depth)]
    fn well_depth(well: &str) -> i64;

    /// Never recorded.
    #[counter(name = "silent_total")]
    pub(super) fn record_silent();
}

fn report_depth(observe: &mut dyn FnMut([&str; 1], i64)) {
    observe(["north"], -7);
}

/// The metrics that this test declares, and the one of a meter that is not ours.
const NAMES: [&str; 10] = [
    "foreign",
    "wire_answer_bytes",
    "wire_balance",
    "wire_connections",
    "wire_cpu_seconds_total",
    "wire_memory_bytes",
    "wire_rows_total",
    "wire_wait_seconds",
    "wire_weight",
    "wire_well_depth",
];

/// Two exports, before each of which the same was recorded.
struct Exports {
    started: SystemTime,
    recorded: SystemTime,
    first: BTreeMap<String, Metric>,
    second: BTreeMap<String, Metric>,
}

fn exports(protocol: &str, temporality: &str) -> Exports {
    let receiver = Receiver::start();
    let started = SystemTime::now();
    let telemetry = start(&[
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1500"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            temporality,
        ),
    ]);
    let recorded = SystemTime::now();
    record();
    let foreign = foreign_meter().u64_counter("foreign").build();
    foreign.add(2, &[]);
    receiver.wait_for(1);
    record();
    foreign.add(2, &[]);
    let requests = receiver.wait_for(2);
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    let [first, second] = [0, 1].map(|request: usize| {
        let scopes = requests[request].metrics_by_scope();
        let names = scopes.iter().map(|metrics| {
            let scope = metrics.scope.as_ref().expect("a scope");
            (scope.name.as_str(), scope.version.as_str())
        });
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        let own = ("rustok_telemetry", env!("CARGO_PKG_VERSION"));
        assert_eq!(names, [("foreign", ""), own], "each scope once");
        let metrics = scopes.into_iter().flat_map(|scope| scope.metrics);
        let mut by_name = BTreeMap::new();
        for metric in metrics {
            let twice = by_name.insert(metric.name.clone(), metric);
            assert!(twice.is_none(), "{twice:?} twice");
        }
        let of_test = by_name.keys().map(String::as_str);
        let of_test = of_test.filter(|name| name.starts_with("wire_") || *name == "foreign");
        assert_eq!(of_test.collect::<Vec<_>>(), NAMES);
        assert!(by_name.contains_key("rustok_telemetry_exports_total"));
        by_name
    });
    Exports {
        started,
        recorded,
        first,
        second,
    }
}

fn record() {
    declared::record_rows("orders", "main", 3);
    declared::record_rows("orders", "main", 4);
    declared::record_rows("", "main", u64::MAX / 4);
    declared::record_cpu(0.5);
    declared::update_balance("savings", -3);
    declared::update_memory(u64::MAX);
    declared::add_connections(3);
    declared::add_connections(-1);
    declared::add_weight(-0.5);
    for seconds in [0.125, 0.25, 0.375, 8.0] {
        declared::record_wait("orders", seconds);
    }
    declared::record_answer(500);
}

impl Exports {
    /// The sum of this name, in both exports.
    #[track_caller]
    fn sums(&self, name: &str) -> [&Sum; 2] {
        self.both(name).map(|metric| match &metric.data {
            Some(Data::Sum(sum)) => sum,
            other => panic!("no sum: {other:?}"),
        })
    }

    #[track_caller]
    fn gauges(&self, name: &str) -> [&[NumberDataPoint]; 2] {
        self.both(name).map(|metric| match &metric.data {
            Some(Data::Gauge(gauge)) => &gauge.data_points[..],
            other => panic!("no gauge: {other:?}"),
        })
    }

    /// The only series of the histogram of this name, in both exports.
    #[track_caller]
    fn histograms(
        &self,
        name: &str,
        temporality: AggregationTemporality,
    ) -> [&HistogramDataPoint; 2] {
        self.both(name).map(|metric| match &metric.data {
            Some(Data::Histogram(histogram)) => {
                assert_eq!(histogram.aggregation_temporality(), temporality);
                assert_eq!(histogram.data_points.len(), 1);
                &histogram.data_points[0]
            }
            other => panic!("no histogram: {other:?}"),
        })
    }

    fn both(&self, name: &str) -> [&Metric; 2] {
        [&self.first[name], &self.second[name]]
    }

    /// All times of points that count from the start.
    #[track_caller]
    fn check_times(&self, [first, second]: [(u64, u64); 2]) {
        let nanoseconds = |time: SystemTime| {
            let since = time.duration_since(UNIX_EPOCH).expect("after 1970");
            u64::try_from(since.as_nanos()).expect("a time")
        };
        let (started, recorded) = (nanoseconds(self.started), nanoseconds(self.recorded));
        assert_eq!(first.0, second.0, "the start stays");
        assert!(started <= first.0 && first.0 <= recorded, "before a record");
        assert!(recorded <= first.1 && first.1 < second.1, "time goes on");
        assert!(second.1 <= nanoseconds(SystemTime::now()));
    }
}

fn times(point: &NumberDataPoint) -> (u64, u64) {
    (point.start_time_unix_nano, point.time_unix_nano)
}

/// `name=value` for each, in their order.
fn labels(attributes: &[KeyValue]) -> String {
    let each = attributes.iter().map(|attribute| {
        let value = attribute.value.as_ref().and_then(|any| any.value.as_ref());
        let Some(any_value::Value::StringValue(value)) = value else {
            panic!("no text: {attribute:?}");
        };
        format!("{}={value}", attribute.key)
    });
    each.collect::<Vec<_>>().join(",")
}

/// Labels and value of each, in the order of the labels.
fn series(points: &[NumberDataPoint]) -> Vec<(String, Value)> {
    let each = points.iter().map(|point| {
        let value = point.value.expect("a value");
        (labels(&point.attributes), value)
    });
    let mut series: Vec<_> = each.collect();
    series.sort_by(|one, other| one.0.cmp(&other.0));
    series
}

fn only(value: Value) -> Vec<(String, Value)> {
    vec![(String::new(), value)]
}

fn check_cumulative(protocol: &str) {
    let exports = exports(protocol, "cumulative");
    for (name, unit, help) in [
        ("wire_rows_total", "", "Rows written."),
        ("wire_cpu_seconds_total", "s", "Time on the processor."),
        ("wire_balance", "EUR", "Balance of the account."),
        ("wire_wait_seconds", "s", "Time spent waiting."),
        ("wire_weight", "kg", "Weight on the scales."),
        ("wire_well_depth", "m", "Depth of the well."),
    ] {
        let [first, _] = exports.both(name);
        assert_eq!(
            (first.unit.as_str(), first.description.as_str()),
            (unit, help)
        );
    }
    let quarter = i64::try_from(u64::MAX / 4).expect("small");
    let rows = exports.sums("wire_rows_total");
    for (sum, orders, unnamed) in [(rows[0], 7, quarter), (rows[1], 14, 2 * quarter)] {
        let expected = [
            ("table=none,database=main".to_owned(), Value::AsInt(unnamed)),
            (
                "table=orders,database=main".to_owned(),
                Value::AsInt(orders),
            ),
        ];
        assert_eq!(series(&sum.data_points), expected);
    }
    for (name, is_monotonic, values) in [
        (
            "wire_cpu_seconds_total",
            true,
            [0.5, 1.0].map(Value::AsDouble),
        ),
        ("wire_connections", false, [2, 4].map(Value::AsInt)),
        ("wire_weight", false, [-0.5, -1.0].map(Value::AsDouble)),
    ] {
        let sums = exports.sums(name);
        for (sum, value) in sums.into_iter().zip(values) {
            assert_eq!(series(&sum.data_points), only(value), "{name}");
            assert_eq!(sum.is_monotonic, is_monotonic, "{name}");
            let temporality = sum.aggregation_temporality();
            assert_eq!(temporality, AggregationTemporality::Cumulative, "{name}");
        }
        exports.check_times(sums.map(|sum| times(&sum.data_points[0])));
    }
    assert!(rows[0].is_monotonic);
    let [_, foreign] = exports.sums("foreign");
    assert_eq!(series(&foreign.data_points), only(Value::AsInt(4)));
    check_gauges(&exports);
    let waits = exports.histograms("wire_wait_seconds", AggregationTemporality::Cumulative);
    for (wait, rounds) in waits.into_iter().zip([1, 2]) {
        check_wait(wait, rounds);
    }
    exports.check_times(waits.map(|wait| (wait.start_time_unix_nano, wait.time_unix_nano)));
    let answers = exports.histograms("wire_answer_bytes", AggregationTemporality::Cumulative);
    let [_, answer] = answers;
    assert_eq!(answer.bucket_counts, [2, 0, 0]);
    assert_eq!(
        (answer.sum, answer.min, answer.max),
        (Some(1000.0), Some(500.0), Some(500.0))
    );
    assert!(answer.attributes.is_empty());
}

/// They are what was set last, whatever the temporality.
fn check_gauges(exports: &Exports) {
    let balances = exports.gauges("wire_balance");
    let expected = [("account=savings".to_owned(), Value::AsInt(-3))];
    assert_eq!(balances.map(series), [&expected[..]; 2]);
    exports.check_times(balances.map(|points| times(&points[0])));
    // More than OTLP has.
    let memory = exports.gauges("wire_memory_bytes").map(series);
    assert_eq!(memory, [(); 2].map(|()| only(Value::AsInt(i64::MAX))));
    let depths = exports.gauges("wire_well_depth").map(series);
    let expected = [("well=north".to_owned(), Value::AsInt(-7))];
    assert_eq!(depths, [&expected[..]; 2]);
}

/// What was recorded as often as this.
fn check_wait(wait: &HistogramDataPoint, rounds: u64) {
    assert_eq!(labels(&wait.attributes), "queue=orders");
    assert_eq!(wait.explicit_bounds, [0.25, 0.5, 1.0]);
    assert_eq!(wait.bucket_counts, [2, 1, 0, 1].map(|count| count * rounds));
    assert_eq!(wait.count, 4 * rounds);
    let sum = [8.75, 17.5][usize::from(rounds > 1)];
    assert_eq!(
        (wait.sum, wait.min, wait.max),
        (Some(sum), Some(0.125), Some(8.0))
    );
}

#[test_fork::test]
fn every_kind_arrives_whole_by_http() {
    check_cumulative("http/protobuf");
}

#[test_fork::test]
fn every_kind_arrives_whole_by_grpc() {
    check_cumulative("grpc");
}

/// Counters and histograms count from the export before, what goes up and down from the start.
fn check_deltas(temporality: &str) {
    let exports = exports("http/protobuf", temporality);
    for sum in exports.sums("wire_cpu_seconds_total") {
        assert_eq!(series(&sum.data_points), only(Value::AsDouble(0.5)));
        let temporality = sum.aggregation_temporality();
        assert_eq!(temporality, AggregationTemporality::Delta);
    }
    for wait in exports.histograms("wire_wait_seconds", AggregationTemporality::Delta) {
        check_wait(wait, 1);
    }
    let connections = exports.sums("wire_connections");
    for (sum, value) in connections.into_iter().zip([2, 4]) {
        assert_eq!(series(&sum.data_points), only(Value::AsInt(value)));
        let temporality = sum.aggregation_temporality();
        assert_eq!(temporality, AggregationTemporality::Cumulative);
    }
    exports.check_times(connections.map(|sum| times(&sum.data_points[0])));
    check_gauges(&exports);
}

#[test_fork::test]
fn with_delta_everything_arrives_once() {
    check_deltas("delta");
}

#[test_fork::test]
fn with_lowmemory_everything_arrives_once() {
    check_deltas("lowmemory");
}

#[test_fork::test]
fn views_hold_and_nothing_else_stays_away() {
    let receiver = Receiver::start();
    let mut config = TelemetryConfig::from_vars([
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.plain().as_str()),
    ])
    .expect("a valid configuration");
    let view = |name: &str, aggregation| View {
        instrument_name: name.to_owned(),
        aggregation,
    };
    // Without these, and with no meter of others, the SDK itself has nothing to export.
    config.metrics.views.set(vec![
        view("rustok_telemetry_*", ViewAggregation::Drop),
        view("wire_well_depth", ViewAggregation::Drop),
        view("wire_rows_total", ViewAggregation::Drop),
        view("wire_wait_seconds", ViewAggregation::Boundaries(vec![2.0])),
    ]);
    let telemetry = rustok_telemetry::builder()
        .config(config)
        .init()
        .expect("telemetry starts");
    record();
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    let metrics = receiver.requests().remove(0).metrics();
    let wait = metrics.iter().find(|one| one.name == "wire_wait_seconds");
    let Some(Data::Histogram(wait)) = wait.and_then(|wait| wait.data.as_ref()) else {
        panic!("no histogram in {metrics:?}");
    };
    assert_eq!(wait.data_points[0].explicit_bounds, [2.0]);
    let dropped = |name: &str| {
        name.starts_with("rustok_telemetry_")
            || ["wire_well_depth", "wire_rows_total"].contains(&name)
    };
    assert!(!metrics.iter().any(|one| dropped(&one.name)), "{metrics:?}");
}
