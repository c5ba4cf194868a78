//! The layer that records the [span metrics](super#span-metrics).

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use opentelemetry::trace::SpanContext;
use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::{LookupSpan, SpanRef},
};

use super::{
    callsites::{self, Callsite},
    native::Record as NativeRecord,
    open_spans::OpenSpans,
    panics::PANIC,
    visitor::Fields,
};
use crate::metrics::{self, current_span, store::exemplars::SpanIds};

/// `error_type` of an error whose type is unknown.
const ERROR: &str = "error";

/// Derives metrics from spans. A part of [`Telemetry::layer`](crate::Telemetry::layer), behind a
/// [filter](super::SpanFilter).
#[derive(Debug)]
pub(crate) struct SpanMetricsLayer {
    pub(super) open: Arc<OpenSpans<SpanState>>,
}

/// Records the metrics of closed spans for a [`SpanMetricsLayer`]. Comes after the layer that exports traces, which
/// ends the exported span, so that the exemplars have its ids.
#[derive(Debug)]
pub(crate) struct ClosedSpans {
    open: Arc<OpenSpans<SpanState>>,
}

/// Returns the tenant of a span, its own or inherited.
pub(crate) fn tenant_of<R>(span: &SpanRef<'_, R>) -> Option<Arc<str>>
where
    R: for<'span> LookupSpan<'span>,
{
    let extensions = span.extensions();
    let tenant = extensions.get::<SpanTenant>()?;
    Some(Arc::clone(&tenant.id))
}

/// Whether a span has a tenant that is not inherited.
pub(crate) fn has_own_tenant<R>(span: &SpanRef<'_, R>) -> bool
where
    R: for<'span> LookupSpan<'span>,
{
    let extensions = span.extensions();
    extensions
        .get::<SpanTenant>()
        .is_some_and(|tenant| tenant.own)
}

/// Whether the span that this thread is creating inherits its tenant and does not declare one. Saves the following
/// layers a span lookup, as most spans do not inherit a tenant.
pub(super) fn inherits() -> bool {
    INHERITS.get()
}

/// Whether the following layers should stop buffering values of the span that this thread is recording to, because of
/// many records.
pub(super) fn is_recorded_often() -> bool {
    OFTEN.get()
}

/// Number of records between two `true` results of [`is_recorded_often`].
const OFTEN_RECORDS: u32 = 128;

/// Runs `record`, which records a provisional tenant. The span has the tenant, but is not counted as created until
/// another one is recorded or it closes.
pub(crate) fn as_claim(record: impl FnOnce()) {
    struct Reset;

    impl Drop for Reset {
        fn drop(&mut self) {
            IS_CLAIM.set(false);
        }
    }

    IS_CLAIM.set(true);
    let _reset = Reset;
    record();
}

/// Keeps the ids of a span that has been exported, for the exemplars of the metrics of the span that is closing.
pub(super) fn ended(span: &SpanContext) {
    CLOSING.set((CLOSING.get().0, current_span::ids(span)));
}

thread_local! {
    /// When the span that this thread is closing was closed, and the ids of the exported span.
    static CLOSING: Cell<(Option<Instant>, SpanIds)> = const { Cell::new((None, SpanIds::NONE)) };
    static INHERITS: Cell<bool> = const { Cell::new(false) };
    static IS_CLAIM: Cell<bool> = const { Cell::new(false) };
    static OFTEN: Cell<bool> = const { Cell::new(false) };
}

/// The tenant of a span, an extension that every layer can read.
struct SpanTenant {
    id: Arc<str>,
    /// Whether the tenant is not inherited.
    own: bool,
}

/// Whether a span has had a tenant. Until then no span looks for one among its ancestors.
static ANY_TENANT: AtomicBool = AtomicBool::new(false);

impl SpanTenant {
    fn set<R>(span: &SpanRef<'_, R>, id: Arc<str>, own: bool)
    where
        R: for<'span> LookupSpan<'span>,
    {
        // Read before it is written, because all threads share it.
        if !ANY_TENANT.load(Ordering::Relaxed) {
            ANY_TENANT.store(true, Ordering::Relaxed);
        }
        // Not `insert`, which panics if the layer has been added twice.
        span.extensions_mut().replace(Self { id, own });
    }
}

/// State of an open span.
#[derive(Debug)]
pub(super) struct SpanState {
    /// The native span, in the same table, so that it needs no lookup of its own.
    pub(super) native: Option<Box<NativeRecord>>,
    metadata: &'static Metadata<'static>,
    callsite: Option<&'static Callsite>,
    started: Instant,
    /// Whether the creation has been counted. With a declared tenant it is counted later.
    counted: bool,
    failed: bool,
    error_type: Option<Box<str>>,
    panicked: bool,
    cancelled: bool,
    /// Number of records since the creation.
    records: u32,
    /// Whether a destructor entered the span while the thread was unwinding.
    entered_in_panic: bool,
}

impl SpanMetricsLayer {
    pub(crate) fn new() -> Self {
        Self {
            open: Arc::new(OpenSpans::new()),
        }
    }

    /// Returns the layer that has to come after this one and the one that exports traces.
    pub(crate) fn closed_spans(&self) -> ClosedSpans {
        ClosedSpans {
            open: Arc::clone(&self.open),
        }
    }

    /// Whether a span is open and counted by this layer, so that it can have a tenant.
    pub(crate) fn counts(&self, span: &Id) -> bool {
        self.open.with(span, |_| ()).is_some()
    }

    /// Takes the fields that a span records. Returns whether it is a native span that is recorded.
    pub(super) fn record<S>(&self, id: &Id, values: &Record<'_>, context: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let tenant = fields.tenant_id.take();
        let has_tenant = tenant.is_some();
        let (mut often, mut is_recorded) = (false, false);
        let is_claim = IS_CLAIM.get();
        let first = self.open.with(id, |state| {
            state.records = state.records.wrapping_add(1);
            often = state.records % OFTEN_RECORDS == 0;
            state.take(fields);
            is_recorded = state
                .native
                .as_ref()
                .is_some_and(|native| native.is_recorded());
            has_tenant && !is_claim && !std::mem::replace(&mut state.counted, true)
        });
        OFTEN.set(often);
        if let (Some(first), Some(tenant), Some(span)) = (first, tenant, context.span(id)) {
            SpanTenant::set(&span, Arc::clone(&tenant), true);
            // Without a lock on the span: a new series may log, and log layers read the span.
            if first {
                metrics::record_span_created(span.name(), &tenant);
            }
        }
        is_recorded
    }
}

/// Counts a new span. Returns its state, and the tenant that it inherits without declaring one.
pub(super) fn begin<S>(
    attributes: &Attributes<'_>,
    id: &Id,
    context: &Context<'_, S>,
) -> (SpanState, Option<Arc<str>>)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let metadata = attributes.metadata();
    let mut fields = Fields::default();
    attributes.record(&mut fields);
    let own = fields.tenant_id.is_some();
    let callsite = callsites::of(metadata);
    let waits = !own && callsites::waits_for_tenant(callsite, metadata);
    let tenant = fields.tenant_id.take();
    let tenant = tenant.or_else(|| match ANY_TENANT.load(Ordering::Relaxed) {
        true => inherited(&context.span(id)?),
        false => None,
    });
    let mut state = SpanState::of(metadata, callsite);
    state.take(fields);
    state.counted = !waits;
    match &tenant {
        _ if waits => {}
        Some(tenant) => metrics::record_span_created(metadata.name(), tenant),
        None => callsites::count_created(callsite, metadata.name()),
    }
    let inherited = tenant.clone().filter(|_| !own && !waits);
    if let (Some(tenant), Some(span)) = (tenant, context.span(id)) {
        SpanTenant::set(&span, tenant, own);
    }
    (state, inherited)
}

/// Records the metrics of a span that was closed at this time. The exemplars have these ids.
pub(super) fn finish<S>(
    state: &SpanState,
    id: &Id,
    closed: Instant,
    ids: SpanIds,
    context: &Context<'_, S>,
) where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let operation = state.metadata.name();
    let tenant = match state.counted {
        true => None,
        false => context.span(id).and_then(|span| tenant_of(&span)),
    };
    current_span::with_ids(ids, || {
        if !state.counted {
            metrics::record_span_created(operation, tenant.as_deref().unwrap_or(metrics::NONE));
        }
        let duration = closed.saturating_duration_since(state.started);
        callsites::record_duration(state.callsite, operation, duration);
        if state.cancelled {
            metrics::record_span_cancelled(operation);
        } else if let Some(error_type) = state.error() {
            metrics::record_span_error(operation, error_type);
        }
    });
}

impl<S> Layer<S> for SpanMetricsLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let (state, inherited) = begin(attributes, id, &context);
        INHERITS.set(inherited.is_some());
        self.open.insert(id, state);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.record(id, values, &context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if *event.metadata().level() != Level::ERROR {
            return;
        }
        let Some(span) = context.event_span(event) else {
            return;
        };
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.open.with(&span.id(), |state| {
            state.failed = true;
            if state.error_type.is_none() {
                state.error_type = fields.error_type;
            }
        });
    }

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        if thread::panicking() {
            self.open.with(id, |state| state.entered_in_panic = true);
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        if thread::panicking() {
            self.open.with(id, |state| {
                state.panicked |= !state.entered_in_panic;
                state.entered_in_panic = false;
            });
        }
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        CLOSING.set((Some(Instant::now()), SpanIds::NONE));
    }
}

impl<S> Layer<S> for ClosedSpans
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let (closed, ids) = CLOSING.take();
        let Some(state) = self.open.remove(&id) else {
            return;
        };
        let closed = closed.unwrap_or_else(Instant::now);
        finish(&state, &id, closed, ids, &context);
    }
}

impl SpanState {
    /// Creates the state of a new span.
    fn of(metadata: &'static Metadata<'static>, callsite: Option<&'static Callsite>) -> Self {
        Self {
            native: None,
            metadata,
            callsite,
            started: Instant::now(),
            counted: false,
            failed: false,
            error_type: None,
            panicked: false,
            cancelled: false,
            records: 0,
            entered_in_panic: false,
        }
    }

    fn take(&mut self, fields: Fields) {
        self.cancelled |= fields.cancelled;
        self.failed |= fields.status_is_error || fields.error_type.is_some();
        if fields.error_type.is_some() {
            self.error_type = fields.error_type;
        }
    }

    /// Returns the type of the error or panic that the span ended in.
    fn error(&self) -> Option<&str> {
        match &self.error_type {
            Some(error_type) if self.failed || self.panicked => Some(error_type),
            _ if self.panicked => Some(PANIC),
            _ if self.failed => Some(ERROR),
            _ => None,
        }
    }
}

/// Returns the tenant of the nearest ancestor that has one.
fn inherited<R>(span: &SpanRef<'_, R>) -> Option<Arc<str>>
where
    R: for<'span> LookupSpan<'span>,
{
    // Not `scope()`, which looks up the span itself first.
    let mut ancestor = span.parent()?;
    loop {
        if let Some(tenant) = tenant_of(&ancestor) {
            return Some(tenant);
        }
        ancestor = ancestor.parent()?;
    }
}
