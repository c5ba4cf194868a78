//! A tracer whose spans have unique attributes, of which the last value wins, as the specification requires. The SDK
//! appends each value and drops the last ones at its limit. Spans of `tracing` and of the OpenTelemetry API use it.

use std::{borrow::Cow, mem, ops::Deref, time::SystemTime};

use opentelemetry::{
    Context, InstrumentationScope, Key, KeyValue,
    trace::{self, Span as _, SpanBuilder, SpanContext, Status},
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span, TracerProviderBuilder};

use super::{
    late_attributes::LateAttributes, native::NativePipeline, span_limits::SpanLimits, span_metrics,
};
use crate::attributes::unique_keys::{SeenKeys, make_unique};

/// The SDK's provider, with unique attributes of spans.
#[derive(Debug, Clone)]
pub(crate) struct UniqueTracerProvider {
    sdk: SdkTracerProvider,
    limits: SpanLimits,
    /// Whether the processors complete their spans with the attributes that replace others.
    completes: bool,
    /// How spans of `tracing` are made, unless the SDK makes them.
    native: Option<NativePipeline>,
}

impl UniqueTracerProvider {
    /// Builds the SDK's provider with these limits. Its processors must [complete](SpanLimits::complete) their spans.
    pub(crate) fn new(sdk: TracerProviderBuilder, limits: SpanLimits) -> Self {
        let sdk = sdk
            .with_max_attributes_per_span(limits.attributes)
            .with_max_events_per_span(limits.events)
            .with_max_links_per_span(limits.links)
            .with_max_attributes_per_event(limits.attributes_per_event)
            .with_max_attributes_per_link(limits.attributes_per_link)
            .build();
        Self {
            sdk,
            limits,
            completes: true,
            native: None,
        }
    }

    /// Makes spans of `tracing` without the SDK.
    pub(crate) fn with_native(self, pipeline: NativePipeline) -> Self {
        Self {
            native: Some(pipeline),
            ..self
        }
    }

    pub(super) fn native(&self) -> Option<&NativePipeline> {
        self.native.as_ref()
    }

    /// Wraps a provider of the service, whose limits apply. Its processors do not complete their spans, so an attribute
    /// that replaces another is exported beside it, as by the SDK.
    pub(crate) fn given(sdk: SdkTracerProvider) -> Self {
        Self {
            sdk,
            limits: SpanLimits::UNLIMITED,
            completes: false,
            native: None,
        }
    }
}

impl Deref for UniqueTracerProvider {
    type Target = SdkTracerProvider;

    fn deref(&self) -> &SdkTracerProvider {
        &self.sdk
    }
}

impl trace::TracerProvider for UniqueTracerProvider {
    type Tracer = UniqueTracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> UniqueTracer {
        UniqueTracer {
            sdk: self.sdk.tracer_with_scope(scope),
            limits: self.limits,
            completes: self.completes,
        }
    }
}

/// A tracer of [`UniqueTracerProvider`].
#[derive(Debug, Clone)]
pub(crate) struct UniqueTracer {
    sdk: SdkTracer,
    limits: SpanLimits,
    completes: bool,
}

impl trace::Tracer for UniqueTracer {
    type Span = UniqueSpan;

    fn build_with_context(&self, mut builder: SpanBuilder, parent: &Context) -> UniqueSpan {
        let limits = self.limits;
        let seen = match &mut builder.attributes {
            Some(attributes) => make_unique(attributes, limits.attributes),
            None => SeenKeys::default(),
        };
        for event in builder.events.iter_mut().flatten() {
            make_unique(&mut event.attributes, limits.attributes_per_event);
        }
        for link in builder.links.iter_mut().flatten() {
            make_unique(&mut link.attributes, limits.attributes_per_link);
        }
        UniqueSpan {
            sdk: self.sdk.build_with_context(builder, parent),
            limits,
            completes: self.completes,
            seen,
            status: Status::Unset,
            late: LateAttributes::default(),
            known: None,
        }
    }
}

/// A span of [`UniqueTracer`].
#[derive(Debug)]
pub(crate) struct UniqueSpan {
    sdk: Span,
    limits: SpanLimits,
    completes: bool,
    /// Keys of the SDK's span and of `late`.
    seen: SeenKeys,
    /// Set on the SDK's span at its end, because the SDK keeps the alphabetically last description.
    status: Status,
    /// Attributes whose key the span may already have, because the SDK's span cannot replace one.
    late: LateAttributes,
    /// Keys of the SDK's span; read once `late` is full.
    known: Option<Vec<Key>>,
}

impl UniqueSpan {
    /// Buffers an attribute that may replace one of the SDK's span.
    fn replace(&mut self, attribute: KeyValue) {
        let limit = usize::try_from(self.limits.attributes).unwrap_or(usize::MAX);
        let Some(attribute) = self.late.replace(attribute) else {
            return;
        };
        if self.late.attributes.len() < limit || self.has(&attribute.key) {
            self.late.attributes.push(attribute);
        } else {
            self.late.dropped = self.late.dropped.saturating_add(1);
        }
    }

    /// Whether the SDK's span has a key. Copies the span once, and only for a span beyond its limit.
    fn has(&mut self, key: &Key) -> bool {
        let known = self.known.get_or_insert_with(|| {
            let data = self.sdk.exported_data();
            let attributes = data.into_iter().flat_map(|data| data.attributes);
            attributes.map(|attribute| attribute.key).collect()
        });
        known.contains(key)
    }
}

impl trace::Span for UniqueSpan {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        mut attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        make_unique(&mut attributes, self.limits.attributes_per_event);
        self.sdk
            .add_event_with_timestamp(name, timestamp, attributes);
    }

    fn span_context(&self) -> &SpanContext {
        self.sdk.span_context()
    }

    fn is_recording(&self) -> bool {
        self.sdk.is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if !self.sdk.is_recording() {
            return;
        }
        if self.seen.insert(attribute.key.as_str()) && self.completes {
            self.replace(attribute);
        } else {
            self.known = None;
            self.sdk.set_attribute(attribute);
        }
    }

    /// Follows the specification: `Ok` is final, and the last error wins; one without a description does not remove the
    /// earlier description.
    fn set_status(&mut self, status: Status) {
        match (&self.status, &status) {
            (Status::Ok, _) | (_, Status::Unset) => {}
            (Status::Error { .. }, Status::Error { description }) if description.is_empty() => {}
            _ if self.sdk.is_recording() => self.status = status,
            _ => {}
        }
    }

    fn update_name<T>(&mut self, name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        self.sdk.update_name(name);
    }

    fn add_link(&mut self, context: SpanContext, mut attributes: Vec<KeyValue>) {
        make_unique(&mut attributes, self.limits.attributes_per_link);
        self.sdk.add_link(context, attributes);
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        if !self.sdk.is_recording() {
            return;
        }
        if self.status != Status::Unset {
            self.sdk.set_status(mem::take(&mut self.status));
        }
        let id = self.sdk.span_context().span_id();
        let sdk = &mut self.sdk;
        mem::take(&mut self.late).while_ending(id, || sdk.end_with_timestamp(timestamp));
        span_metrics::ended(self.sdk.span_context());
    }
}

impl Drop for UniqueSpan {
    fn drop(&mut self) {
        self.end();
    }
}
