//! What is known of a span by where in the code it is made: a known span costs no look-up of its name.

use std::{
    hash::BuildHasher,
    sync::{LazyLock, OnceLock},
    time::Duration,
};

use foldhash::quality::RandomState;
use tracing::Metadata;

use crate::{
    metrics::{
        self, NONE,
        instrument::{Counter, Histogram, Instrument},
        metric::Metric,
        read_table::ReadTable,
        registered::find,
    },
    tenant::TENANT_ID,
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
