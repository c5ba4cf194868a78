//! The layer. It also records the span metrics, since a span then needs one place in one table.

use std::{
    any::TypeId,
    cell::{Cell, RefCell},
    ptr,
    time::{Instant, SystemTime},
};

use opentelemetry::{
    Context as OtelContext, ContextGuard,
    trace::{Status, TraceContextExt},
};
use tracing::{
    Event, Level, Subscriber,
    span::{Attributes as NewSpan, Id, Record as Values},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::{
    NativePipeline, NativeSpans,
    attributes::{Attributes, Owner},
    decided::{self, Start},
    fields::{EventFields, SpanFields},
    give_back,
    record::State,
    span_name::SpanName,
    take_record,
};
use crate::{
    metrics::{current_span, store::exemplars::SpanIds},
    trace::{SpanMetricsLayer, TENANT_ID, span_metrics},
};

/// Exports spans, and makes an entered span that of the current OpenTelemetry context.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NativeLayer {
    pub(super) spans: &'static NativeSpans,
}

/// A span that a thread has entered.
struct Entered {
    id: Id,
    is_recorded: bool,
    _current: ContextGuard,
}

/// Buffers for the fields of a record or an event.
#[derive(Default)]
struct Scratch {
    attributes: Attributes,
    of_span: Attributes,
    name: String,
    span_name: SpanName,
}

thread_local! {
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl NativeLayer {
    pub(crate) fn new(pipeline: NativePipeline) -> Self {
        decided::in_use();
        let spans = Box::leak(Box::new(NativeSpans::new(pipeline)));
        Self { spans }
    }

    fn is_recorded(&self, id: &Id) -> bool {
        self.spans.with(id, |record| record.is_recorded()) == Some(true)
    }

    /// Returns the context of the parent of a new span.
    fn parent(&self, span: &NewSpan<'_>) -> OtelContext {
        let explicit = span.parent().and_then(|parent| self.spans.started(parent));
        match explicit {
            Some((context, _)) => context,
            None if span.is_contextual() => OtelContext::current(),
            None => OtelContext::new(),
        }
    }
}

impl<S> Layer<S> for NativeLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, span: &NewSpan<'_>, id: &Id, context: Context<'_, S>) {
        let time = SystemTime::now();
        let start = decided::take();
        let metadata = span.metadata();
        let mut record = take_record(metadata);
        record.start = time;
        let (mut state, tenant) = span_metrics::begin(span, id, &context);
        let starts = start.is_some();
        record.context = match start {
            Some(Start::Within(parent)) => parent,
            Some(Start::AtOnce) | None => self.parent(span),
        };
        if starts {
            self.spans.start(id, &mut record);
        }
        if record.is_recorded() {
            let owner = Owner::span(&self.spans.limits);
            let attributes = &mut record.attributes;
            attributes.set_text(owner, "target", metadata.target());
            let mut fields = SpanFields::new(owner, attributes, &mut record.name);
            span.record(&mut fields);
            let (status, kind) = (fields.take_status(), fields.kind);
            if let Some(tenant) = tenant {
                attributes.set_text(owner, TENANT_ID, &tenant);
            }
            record.kind = kind.unwrap_or(record.kind.clone());
            if let Some(status) = status {
                record.set_status(status);
            }
        }
        state.native = Some(record);
        self.spans.metrics.open.insert(id, state);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.spans.metrics.on_enter(id, context);
        let Some((context, is_recorded)) = self.spans.started(id) else {
            return;
        };
        let entered = Entered {
            id: id.clone(),
            is_recorded,
            _current: context.attach(),
        };
        // Thread locals are gone while a thread exits.
        let _ = ENTERED.try_with(|all| all.borrow_mut().push(entered));
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.spans.metrics.on_exit(id, context);
        let exited = ENTERED.try_with(|all| {
            let mut all = all.borrow_mut();
            let place = all.iter().rposition(|entered| entered.id == *id)?;
            Some(all.remove(place))
        });
        let Ok(Some(exited)) = exited else { return };
        if exited.is_recorded {
            let end = SystemTime::now();
            self.spans.with(id, |record| match record.state {
                State::NotRecording => {}
                State::Pending | State::Recording => record.end = Some(end),
            });
        }
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, context: Context<'_, S>) {
        if !self.spans.metrics.record(id, values, &context) {
            return;
        }
        let owner = Owner::span(&self.spans.limits);
        with_scratch(|scratch| {
            let (attributes, name) = (&mut scratch.attributes, &mut scratch.span_name);
            let mut fields = SpanFields::new(owner, attributes, name);
            values.record(&mut fields);
            let (status, kind) = (fields.take_status(), fields.kind);
            self.spans.with(id, |record| {
                match (record.state, &record.shadow) {
                    (State::Pending, Some(_)) => &mut record.after_shadow,
                    _ => &mut record.attributes,
                }
                .set_all(owner, &scratch.attributes);
                if record.state == State::Pending {
                    if let Some(name) = scratch.span_name.get() {
                        record.name.set(name);
                    }
                    record.kind = kind.unwrap_or(record.kind.clone());
                }
                if let Some(status) = status {
                    record.set_status(status);
                }
            });
        });
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, _: Context<'_, S>) {
        let Some((followed, _)) = self.spans.started(follows) else {
            return;
        };
        let followed = followed.span();
        let limits = &self.spans.limits;
        self.spans.with(id, |record| {
            if record.is_recorded() {
                record.add_link(limits, followed.span_context(), &Attributes::default());
            }
        });
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.spans.metrics.on_event(event, context.clone());
        let Some(id) = context.event_span(event).map(|span| span.id()) else {
            return;
        };
        if !self.is_recorded(&id) {
            return;
        }
        let (metadata, time) = (event.metadata(), SystemTime::now());
        let limits = &self.spans.limits;
        let (owner, span) = (Owner::event(limits), Owner::span(limits));
        with_scratch(|scratch| {
            let attributes = &mut scratch.attributes;
            attributes.set_text(owner, "level", metadata.level().as_str());
            attributes.set_text(owner, "target", metadata.target());
            let mut fields = EventFields {
                owner,
                attributes,
                name: &mut scratch.name,
                span,
                of_span: &mut scratch.of_span,
                error: None,
            };
            event.record(&mut fields);
            let error = fields.error;
            let name = match scratch.name.as_str() {
                "" => metadata.name(),
                name => name,
            };
            self.spans.with(&id, |record| {
                if *metadata.level() == Level::ERROR {
                    record.set_status(Status::error(""));
                }
                if let Some(error) = error {
                    record.set_status(Status::error(error));
                }
                if !scratch.of_span.is_empty() {
                    record.attributes.set_all(span, &scratch.of_span);
                }
                record.add_event(limits, time, name, &scratch.attributes);
            });
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let closed = Instant::now();
        let Some((state, mut record)) = self.spans.remove(&id) else {
            return;
        };
        let mut ids = SpanIds::NONE;
        if record.state == State::Recording {
            let end = record.end.unwrap_or_else(SystemTime::now);
            self.spans.end(&mut record, end);
            ids = current_span::ids(record.context.span().span_context());
        }
        span_metrics::finish(&state, &id, closed, ids, &context);
        if let Some(shadow) = record.shadow.take() {
            self.spans.facade().close(shadow);
        }
        give_back(record);
    }

    #[allow(unsafe_code, reason = "the method is unsafe")]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(ptr::from_ref(self).cast());
        }
        if id == TypeId::of::<SpanMetricsLayer>() {
            return Some(ptr::from_ref(&self.spans.metrics).cast());
        }
        self.spans.facade().downcast(id)
    }
}

/// Calls `f` with empty buffers. Values that are visited may log, so calls nest.
fn with_scratch(f: impl FnOnce(&mut Scratch)) {
    let mut scratch = SCRATCH
        .try_with(Cell::take)
        .ok()
        .flatten()
        .unwrap_or_default();
    f(&mut scratch);
    scratch.attributes.clear();
    scratch.of_span.clear();
    scratch.name.clear();
    scratch.span_name.clear();
    let _ = SCRATCH.try_with(|spare| spare.set(Some(scratch)));
}
