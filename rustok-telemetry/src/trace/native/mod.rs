//! This crate's own layer of spans, which is faster than that of tracing-opentelemetry on the SDK's tracer.
//!
//! A span is a [record](record::Record) in a table by its id. Its attributes, events and links are encoded as OTLP when
//! they are added, in buffers that are used again, and the sampler decides when the span starts: at its first enter, or
//! when its context is needed. The message of an ended span goes to a [sink](SpanSink).
//!
//! OpenTelemetry's interfaces work as with tracing-opentelemetry. An entered span is that of `Context::current()`
//! (`span.rs`). `OpenTelemetrySpanExt` and `get_otel_context`, which only know that crate's layer, find one that makes
//! a span for them (`facade.rs`).
//!
//! The fields of spans and events are visited while nothing is locked, because a value's `Debug` may log.

mod attributes;
mod decided;
mod ext;
mod facade;
mod fields;
mod layer;
mod record;
mod span;
mod span_name;

use std::{
    cell::RefCell,
    fmt,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use opentelemetry::{
    Context, InstrumentationScope,
    trace::{SpanContext, TraceContextExt, TraceFlags},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SamplingDecision, ShouldSample};
use tracing::{Metadata, span::Id};

pub(crate) use self::{
    decided::{create, create_within},
    ext::{add_link, context_in, context_of, set_attribute, set_parent},
};
use self::{facade::Facade, record::State, span::NativeSpan};
pub(super) use self::{layer::NativeLayer, record::Record};
use super::{SpanLimits, SpanMetricsLayer, sink::SpanSink, span_metrics::SpanState};

/// What native spans are made with.
#[derive(Debug, Clone)]
pub(crate) struct NativePipeline {
    pub(crate) sampler: Box<dyn ShouldSample>,
    pub(crate) limits: SpanLimits,
    pub(crate) sink: Arc<dyn SpanSink>,
}

/// The open spans of a layer. It is never freed, because contexts of its spans may outlive the subscriber.
struct NativeSpans {
    /// Has the state of the spans.
    metrics: SpanMetricsLayer,
    sampler: Box<dyn ShouldSample>,
    limits: SpanLimits,
    sink: Arc<dyn SpanSink>,
    ids: RandomIdGenerator,
    scope: InstrumentationScope,
    /// Made when it is looked for.
    facade: OnceLock<Facade>,
}

/// Records of closed spans that a thread keeps.
const MOST_SPARE: usize = 64;

thread_local! {
    #[expect(clippy::vec_box, reason = "the boxes are used again")]
    static SPARE: RefCell<Vec<Box<Record>>> = const { RefCell::new(Vec::new()) };
}

impl NativeSpans {
    fn new(pipeline: NativePipeline) -> Self {
        Self {
            metrics: SpanMetricsLayer::new(),
            sampler: pipeline.sampler,
            limits: pipeline.limits,
            sink: pipeline.sink,
            ids: RandomIdGenerator::default(),
            scope: InstrumentationScope::builder("rustok_telemetry").build(),
            facade: OnceLock::new(),
        }
    }

    fn facade(&'static self) -> &'static Facade {
        self.facade.get_or_init(|| Facade::new(self))
    }

    /// Calls `change` with the record of an open span, which is locked meanwhile.
    fn with<R>(&self, id: &Id, change: impl FnOnce(&mut Record) -> R) -> Option<R> {
        let change = |state: &mut SpanState| state.native.as_mut().map(|record| change(record));
        self.metrics.open.with(id, change).flatten()
    }

    /// Returns the span's context, and whether the span is recorded; starts it first if it has not started.
    fn started(&'static self, id: &Id) -> Option<(Context, bool)> {
        let started = |record: &mut Record| {
            if record.state == State::Pending {
                if let Some(shadow) = &record.shadow {
                    return Err(shadow.clone());
                }
                self.start(id, record);
            }
            Ok((record.context.clone(), record.is_recorded()))
        };
        self.with(id, started)?
            .or_else(|shadow| {
                // Without a lock on the record, which the shadow starts.
                self.facade().start(&shadow);
                let context = |record: &mut Record| (record.context.clone(), record.is_recorded());
                self.with(id, context).ok_or(())
            })
            .ok()
    }

    /// Starts a span: it gets its ids, and the sampler decides.
    fn start(&'static self, id: &Id, record: &mut Record) {
        let parent = &record.context;
        if parent.is_telemetry_suppressed() || self.sink.is_shut_down() {
            let none = SpanContext::NONE;
            return record.start(State::NotRecording, none, Context::with_remote_span_context);
        }
        let parent_span = parent.span();
        let parent_span = parent_span.span_context();
        let (trace_id, flags) = match parent_span.is_valid() {
            true => (parent_span.trace_id(), parent_span.trace_flags()),
            false => (self.ids.new_trace_id(), TraceFlags::default()),
        };
        let (name, kind) = (record.name(), &record.kind);
        let sampler = &self.sampler;
        let sampled = sampler.should_sample(Some(parent), trace_id, name, kind, &[], &[]);
        let flags = match sampled.decision {
            SamplingDecision::Drop => TraceFlags::default(),
            SamplingDecision::RecordOnly => flags.with_sampled(false),
            SamplingDecision::RecordAndSample => flags.with_sampled(true),
        };
        let span_id = self.ids.new_span_id();
        let context = SpanContext::new(trace_id, span_id, flags, false, sampled.trace_state);
        if sampled.decision == SamplingDecision::Drop {
            // Not a remote one: this is the cheapest span that is never recorded.
            return record.start(
                State::NotRecording,
                context,
                Context::with_remote_span_context,
            );
        }
        self.sink.started(&context);
        record.start(State::Recording, context, |parent, context| {
            parent.with_span(NativeSpan {
                spans: self,
                id: id.clone(),
                context,
            })
        });
    }

    /// Ends a recorded span.
    fn end(&self, record: &mut Record, at: SystemTime) {
        record.end(at, &self.scope, |span, encode| {
            self.sink.ended(span, encode)
        });
    }

    /// Removes a closed span, which is started first if it never was.
    fn remove(&'static self, id: &Id) -> Option<(SpanState, Box<Record>)> {
        let mut state = self.metrics.open.remove(id)?;
        let mut record = state.native.take()?;
        if record.state != State::Pending {
            return Some((state, record));
        }
        match record.shadow.clone() {
            None => self.start(id, &mut record),
            Some(shadow) => {
                state.native = Some(record);
                self.metrics.open.insert(id, state);
                self.facade().start(&shadow);
                state = self.metrics.open.remove(id)?;
                record = state.native.take()?;
            }
        }
        Some((state, record))
    }
}

/// Returns a record, which may be that of a closed span.
fn take_record(metadata: &'static Metadata<'static>) -> Box<Record> {
    let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop());
    match spare.ok().flatten() {
        Some(mut record) => {
            record.metadata = metadata;
            record
        }
        None => Box::new(Record::new(metadata)),
    }
}

/// Keeps a record for another span.
fn give_back(mut record: Box<Record>) {
    // Values in the context may use spans when they are dropped.
    record.clear();
    let _ = SPARE.try_with(|spare| {
        if let Ok(mut spare) = spare.try_borrow_mut()
            && spare.len() < MOST_SPARE
        {
            spare.push(record);
        }
    });
}

impl fmt::Debug for NativeSpans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NativeSpans")
    }
}
