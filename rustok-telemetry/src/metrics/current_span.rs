//! The span whose ids the exemplars of a thread get.
//!
//! OpenTelemetry's context tells an observer when it changes, for spans of `tracing` (their layer attaches a context)
//! and of the OpenTelemetry API alike. The observer copies the ids of a sampled span to a thread-local cell without a
//! destructor. Recording reads the cell. It does not read `Context::current()`, which panics while the thread ends, and
//! costs more.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use opentelemetry::{
    Context,
    context::{ContextObserver, GlobalContextObserver},
    trace::{SpanContext, TraceContextExt},
};
use tracing::Span;

use super::store::exemplars::{Exemplar, SpanIds};
use crate::config::ExemplarFilter;

thread_local! {
    static CURRENT: Cell<SpanIds> = const { Cell::new(SpanIds::NONE) };
}

static FILTER: AtomicU8 = AtomicU8::new(OFF);

/// No exemplars; also before telemetry starts.
const OFF: u8 = 0;
/// Exemplars of values in sampled spans.
const SAMPLED: u8 = 1;
/// Exemplars of all values.
const ALL: u8 = 2;

/// Begins to record exemplars, as the filter says.
pub(crate) fn install(filter: ExemplarFilter) {
    let filter = match filter {
        ExemplarFilter::AlwaysOff => return,
        ExemplarFilter::TraceBased => SAMPLED,
        ExemplarFilter::AlwaysOn => ALL,
    };
    GlobalContextObserver::set(Arc::new(Observer));
    FILTER.store(filter, Ordering::Relaxed);
}

/// Whether a value that this thread records now becomes an exemplar.
#[inline]
pub(crate) fn wants_exemplar() -> bool {
    CURRENT.get().span != 0 || FILTER.load(Ordering::Relaxed) == ALL
}

/// Returns an exemplar of a value that is recorded now.
pub(crate) fn exemplar(value: f64) -> Exemplar {
    let span = CURRENT.get();
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let time = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
    Exemplar { span, value, time }
}

/// Runs `record`, whose exemplars get the ids of a span that need not be entered. Without an exported span the current
/// ones stay.
pub(crate) fn within<T>(
    span: &Span,
    context_of: impl FnOnce(&Span) -> Context,
    record: impl FnOnce() -> T,
) -> T {
    if FILTER.load(Ordering::Relaxed) == OFF || span.is_disabled() {
        return record();
    }
    let context = context_of(span);
    let (active, span) = (context.has_active_span(), context.span());
    match active {
        true => with_ids(ids(span.span_context()), record),
        false => record(),
    }
}

/// Runs `record`, whose exemplars get these ids.
pub(crate) fn with_ids<T>(ids: SpanIds, record: impl FnOnce() -> T) -> T {
    struct Reset(SpanIds);

    impl Drop for Reset {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }

    let _reset = Reset(CURRENT.replace(ids));
    record()
}

/// Returns the ids of a span for exemplars: none unless it is sampled or all values become exemplars.
pub(crate) fn ids(span: &SpanContext) -> SpanIds {
    let filter = FILTER.load(Ordering::Relaxed);
    if filter == ALL || filter == SAMPLED && span.is_sampled() {
        SpanIds {
            trace: u128::from_be_bytes(span.trace_id().to_bytes()),
            span: u64::from_be_bytes(span.span_id().to_bytes()),
        }
    } else {
        SpanIds::NONE
    }
}

/// Copies the ids of the current span.
struct Observer;

impl ContextObserver for Observer {
    fn on_context_enter(&self, _: &Context, to: &Context) {
        CURRENT.set(ids(to.span().span_context()));
    }

    fn on_context_exit(&self, _: &Context, to: &Context) {
        CURRENT.set(ids(to.span().span_context()));
    }
}
