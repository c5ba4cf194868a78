//! Exports the inherited tenant of a span as its attribute, so that traces can be searched by it.

use std::fmt;

use opentelemetry::trace::noop::NoopTracer;
use tracing::{
    Subscriber,
    span::{Attributes, Id},
};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::LookupSpan,
};

use super::span_metrics::{self, tenant_of};
use super::with_tenant_record;

/// Adds an inherited `tenant_id` to the exported span. Comes after the layers that count and export.
pub(crate) struct InheritedTenant<S> {
    /// Adds attributes to the spans of every tracing-opentelemetry layer; creates no spans itself.
    traces: OpenTelemetryLayer<S, NoopTracer>,
}

impl<S> InheritedTenant<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    pub(crate) fn new() -> Self {
        Self {
            traces: tracing_opentelemetry::layer(),
        }
    }
}

impl<S> Layer<S> for InheritedTenant<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        // The export layer has the span's own field, now or once it is recorded.
        if !span_metrics::inherits() {
            return;
        }
        let inherited = context.span(id).and_then(|span| tenant_of(&span));
        if let Some(inherited) = inherited {
            with_tenant_record(&inherited, |record| {
                self.traces.on_record(id, record, context);
            });
        }
    }
}

impl<S> fmt::Debug for InheritedTenant<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InheritedTenant")
    }
}
