//! What is known of a span by where in the code it is made: a known span costs no look-up of its name.

use std::{
    hash::BuildHasher,
    sync::{LazyLock, OnceLock},
    time::Duration,
};

use foldhash::quality::RandomState;
use tracing::Metadata;

use super::TENANT_ID;
use crate::metrics::{
    self, NONE,
    instrument::{Counter, Histogram, Instrument},
    metric::Metric,
    registered::find,
    store::read_table::ReadTable,
};

/// One place that makes spans.
#[derive(Debug)]
pub(super) struct Callsite {
    metadata: &'static Metadata<'static>,
    declares_tenant: bool,
    /// Where spans without a tenant are counted, and where durations go: known once there was one of each.
    created: OnceLock<&'static CreatedCell>,
    duration: OnceLock<&'static DurationCell>,
}

type Created = Counter<u64>;
type CreatedCell = <Created as Instrument>::Cell;
type Durations = Histogram<f64>;
type DurationCell = <Durations as Instrument>::Cell;

/// More than a program has; spans of further ones are looked up by their name.
const MOST: usize = 1 << 14;

static KNOWN: LazyLock<(ReadTable<Callsite>, RandomState)> =
    LazyLock::new(|| (ReadTable::new(MOST), RandomState::default()));
static CREATED: LazyLock<Option<&Metric<Created, 2>>> =
    LazyLock::new(|| find("rustok_spans_created_total"));
static DURATIONS: LazyLock<Option<&Metric<Durations, 1>>> =
    LazyLock::new(|| find("rustok_span_duration_seconds"));

/// The callsite of a span, unless there are too many.
pub(super) fn of(metadata: &'static Metadata<'static>) -> Option<&'static Callsite> {
    let (table, hasher) = &*KNOWN;
    let hash = hasher.hash_one(std::ptr::from_ref(metadata).addr());
    let is = |callsite: &Callsite| std::ptr::eq(callsite.metadata, metadata);
    if let Some(known) = table.find(hash, is) {
        return Some(known);
    }
    if table.len() == MOST {
        return None;
    }
    // Two threads may add it both: the one that is found is as good as the other.
    table.insert(hash, Callsite::new(metadata));
    table.find(hash, is)
}

impl Callsite {
    fn new(metadata: &'static Metadata<'static>) -> Self {
        Self {
            metadata,
            declares_tenant: declares_tenant(metadata),
            created: OnceLock::new(),
            duration: OnceLock::new(),
        }
    }
}

/// Whether spans of a callsite have the field of the tenant, so that it can be given later.
pub(super) fn waits_for_tenant(
    callsite: Option<&Callsite>,
    metadata: &'static Metadata<'static>,
) -> bool {
    callsite.map_or_else(
        || declares_tenant(metadata),
        |callsite| callsite.declares_tenant,
    )
}

/// Counts a span without a tenant.
pub(super) fn count_created(callsite: Option<&Callsite>, operation: &str) {
    let Some(callsite) = callsite else {
        return metrics::record_span_created(operation, NONE);
    };
    if !record_in(&callsite.created, &CREATED, 1) {
        metrics::record_span_created(operation, NONE);
        learn(&callsite.created, &CREATED, [operation, NONE]);
    }
}

/// Records how long a span took.
pub(super) fn record_duration(callsite: Option<&Callsite>, operation: &str, duration: Duration) {
    let seconds = duration.as_secs_f64();
    let Some(callsite) = callsite else {
        return metrics::record_span_duration(operation, seconds);
    };
    if !record_in(&callsite.duration, &DURATIONS, seconds) {
        metrics::record_span_duration(operation, seconds);
        learn(&callsite.duration, &DURATIONS, [operation]);
    }
}

fn record_in<I: Instrument, const N: usize>(
    cell: &OnceLock<&'static I::Cell>,
    metric: &Option<&Metric<I, N>>,
    value: I::Value,
) -> bool {
    match (cell.get(), metric) {
        (Some(cell), Some(metric)) => metric.record_in(cell, value),
        _ => false,
    }
}

/// Remembers the cell of a label set, unless the budgets have folded it.
#[cold]
fn learn<I: Instrument, const N: usize>(
    cell: &OnceLock<&'static I::Cell>,
    metric: &Option<&'static Metric<I, N>>,
    labels: [&str; N],
) {
    if let Some(found) = metric.and_then(|metric| metric.cell(labels)) {
        // Another thread may have been faster, with the same.
        let _ = cell.set(found);
    }
}

fn declares_tenant(metadata: &Metadata<'_>) -> bool {
    metadata.fields().field(TENANT_ID).is_some()
}

#[cfg(test)]
mod tests {
    use tracing::Subscriber;
    use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

    use super::*;
    use crate::config::TelemetryConfig;

    /// Counts a span, and then another one, as the layer does.
    struct Twice;

    impl<S: Subscriber> Layer<S> for Twice {
        fn on_new_span(
            &self,
            attributes: &tracing::span::Attributes<'_>,
            _: &tracing::Id,
            _: Context<'_, S>,
        ) {
            let metadata = attributes.metadata();
            let callsite = of(metadata).expect("there are few");
            assert!(std::ptr::eq(callsite, of(metadata).expect("it is known")));
            assert!(callsite.created.get().is_none() && callsite.duration.get().is_none());
            for _ in 0..2 {
                count_created(Some(callsite), metadata.name());
                record_duration(Some(callsite), metadata.name(), Duration::from_secs(1));
                assert!(callsite.created.get().is_some(), "it is looked up once");
                assert!(callsite.duration.get().is_some(), "it is looked up once");
            }
        }
    }

    #[test]
    fn a_span_is_looked_up_once_and_counted_each_time() {
        let variables = [
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "prometheus"),
        ];
        let config = TelemetryConfig::from_vars(variables).expect("valid");
        let telemetry = crate::builder().config(config).without_subscriber().init();
        let telemetry = telemetry.expect("telemetry starts");
        let subscriber = tracing_subscriber::registry().with(Twice);
        tracing::subscriber::with_default(subscriber, || drop(tracing::info_span!("twice")));
        let text = crate::prometheus_text().expect("telemetry runs").body;
        let text = String::from_utf8(text).expect("text");
        for sample in [
            "rustok_spans_created_total{operation=\"twice\",tenant_id=\"none\"} 2\n",
            "rustok_span_duration_seconds_count{operation=\"twice\"} 2\n",
        ] {
            assert!(text.contains(sample), "{text}");
        }
        let _ = telemetry.shutdown();
    }
}
