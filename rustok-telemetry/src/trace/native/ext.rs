//! What this crate uses of `OpenTelemetrySpanExt`, without a detour for native spans.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use opentelemetry::{Context, KeyValue, trace::SpanContext};
use tracing::{Dispatch, Metadata, Span, span::Id};
use tracing_opentelemetry::{OpenTelemetrySpanExt, SetParentError};

use super::{
    NativeLayer,
    attributes::{Attributes, Owner},
    record::{Record, State},
};

/// Whether a parent that came too late has been logged.
static LOGGED: AtomicBool = AtomicBool::new(false);

/// Returns the context of a span, which starts if it has not started.
pub(crate) fn context_of(span: &Span) -> Context {
    let native = with_native(span, |id, layer| layer.spans.started(id));
    match native {
        Some(started) => started.map(|(context, _)| context).unwrap_or_default(),
        None => span.context(),
    }
}

/// Returns the context of a span of a subscriber, which starts if it has not started.
pub(crate) fn context_in(dispatch: &Dispatch, id: &Id) -> Option<Context> {
    match dispatch.downcast_ref::<NativeLayer>() {
        Some(layer) => layer.spans.started(id).map(|(context, _)| context),
        None => tracing_opentelemetry::get_otel_context(id, dispatch),
    }
}

/// Sets the parent of a span that has not started. The first call for one that has started is logged.
pub(crate) fn set_parent(span: &Span, parent: Context) {
    let mut parent = Some(parent);
    let native = with_native(span, |id, layer| {
        let set = |record: &mut Record| {
            // The shadow has the parent.
            let is_pending = record.state == State::Pending && record.shadow.is_none();
            let parent = parent.take_if(|_| is_pending)?;
            Some(std::mem::replace(&mut record.context, parent))
        };
        // The earlier one is dropped without a lock.
        let replaced = layer.spans.with(id, set);
        replaced.is_none_or(|replaced| replaced.is_some())
    });
    if let (None | Some(false), Some(parent)) = (native, parent)
        && let Err(SetParentError::AlreadyStarted) = span.set_parent(parent)
        && !LOGGED.swap(true, Relaxed)
    {
        tracing::warn!(
            "the span `{}` keeps its parent, because it had started when another parent was set: call `follow` or \
             `set_parent` before the span is entered, has a child or is injected",
            span.metadata().map_or("", Metadata::name)
        );
    }
}

/// Sets an attribute of a span.
pub(crate) fn set_attribute(span: &Span, attribute: KeyValue) {
    let set = with_native(span, |id, layer| {
        let owner = Owner::span(&layer.spans.limits);
        layer.spans.with(id, |record| match record.state {
            State::Pending if record.shadow.is_some() => {
                record.after_shadow.set(owner, &attribute);
            }
            State::Pending | State::Recording => record.attributes.set(owner, &attribute),
            State::NotRecording => {}
        })
    });
    if set.is_none() {
        span.set_attribute(attribute.key, attribute.value);
    }
}

/// Links a span to another one, if that is valid.
pub(crate) fn add_link(span: &Span, to: SpanContext) {
    if !to.is_valid() {
        return;
    }
    let added = with_native(span, |id, layer| {
        let limits = &layer.spans.limits;
        layer.spans.with(id, |record| {
            if record.is_recorded() {
                record.add_link(limits, &to, &Attributes::default());
            }
        })
    });
    if added.is_none() {
        span.add_link(to);
    }
}

/// Calls `ask` if the subscriber of the span has native spans.
fn with_native<R>(span: &Span, ask: impl FnOnce(&Id, &NativeLayer) -> R) -> Option<R> {
    let answer = span.with_subscriber(|(id, dispatch)| {
        let layer = dispatch.downcast_ref::<NativeLayer>()?;
        Some(ask(id, layer))
    });
    answer.flatten()
}
