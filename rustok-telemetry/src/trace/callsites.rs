//! Caches the cells of the span metrics per callsite, so that a span is counted without a lookup of its name.

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
    registered::of_function,
    store::read_table::ReadTable,
};

/// A callsite of spans.
#[derive(Debug)]
pub(super) struct Callsite {
    metadata: &'static Metadata<'static>,
    declares_tenant: bool,
    /// Cells of the counter, for spans without a tenant, and of the histogram; set after the first record of each.
    created: OnceLock<&'static CreatedCell>,
    duration: OnceLock<&'static DurationCell>,
}

type Created = Counter<u64>;
type CreatedCell = <Created as Instrument>::Cell;
type Durations = Histogram<f64>;
type DurationCell = <Durations as Instrument>::Cell;

/// Maximum number of cached callsites. Spans of further ones are looked up by name.
const MAX: usize = 1 << 14;

static KNOWN: LazyLock<(ReadTable<Callsite>, RandomState)> =
    LazyLock::new(|| (ReadTable::new(MAX), RandomState::default()));
static CREATED: LazyLock<Option<&Metric<Created, 2>>> =
    LazyLock::new(|| of_function("record_span_created"));
static DURATIONS: LazyLock<Option<&Metric<Durations, 1>>> =
    LazyLock::new(|| of_function("record_span_duration"));

/// Returns the cached callsite of a span; `None` if there are too many.
pub(super) fn of(metadata: &'static Metadata<'static>) -> Option<&'static Callsite> {
    let (table, hasher) = &*KNOWN;
    let hash = hasher.hash_one(std::ptr::from_ref(metadata).addr());
    let is = |callsite: &Callsite| std::ptr::eq(callsite.metadata, metadata);
    if let Some(known) = table.find(hash, is) {
        return Some(known);
    }
    if table.len() == MAX {
        return None;
    }
    // Two threads may insert the same callsite; either entry is valid.
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

/// Whether spans of a callsite declare the tenant field, so that its value can be recorded later.
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
        cache_cell(&callsite.created, &CREATED, [operation, NONE]);
    }
}

/// Records the duration of a span.
pub(super) fn record_duration(callsite: Option<&Callsite>, operation: &str, duration: Duration) {
    let seconds = duration.as_secs_f64();
    let Some(callsite) = callsite else {
        return metrics::record_span_duration(operation, seconds);
    };
    if !record_in(&callsite.duration, &DURATIONS, seconds) {
        metrics::record_span_duration(operation, seconds);
        cache_cell(&callsite.duration, &DURATIONS, [operation]);
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

/// Caches the cell of a label set, unless a budget folds it.
#[cold]
fn cache_cell<I: Instrument, const N: usize>(
    cell: &OnceLock<&'static I::Cell>,
    metric: &Option<&'static Metric<I, N>>,
    labels: [&str; N],
) {
    if let Some(found) = metric.and_then(|metric| metric.cell(labels)) {
        // Another thread may have set the same cell.
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

    /// Counts two spans, as the layer does.
    struct Twice;

    impl<S: Subscriber> Layer<S> for Twice {
        fn on_new_span(
            &self,
            attributes: &tracing::span::Attributes<'_>,
            _: &tracing::Id,
            _: Context<'_, S>,
        ) {
            let metadata = attributes.metadata();
            let callsite = of(metadata).expect("within the limit");
            assert!(std::ptr::eq(callsite, of(metadata).expect("cached")));
            assert!(callsite.created.get().is_none() && callsite.duration.get().is_none());
            for _ in 0..2 {
                count_created(Some(callsite), metadata.name());
                record_duration(Some(callsite), metadata.name(), Duration::from_secs(1));
                assert!(callsite.created.get().is_some(), "the cell is cached");
                assert!(callsite.duration.get().is_some(), "the cell is cached");
            }
        }
    }

    #[test]
    fn cached_cells_count_every_span() {
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
