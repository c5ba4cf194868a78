//! A span that inherits its tenant carries it in the traces too, so that they can be searched by it.

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

/// Adds `tenant_id` to the exported span. It comes after the layers that count and export.
pub(crate) struct InheritedTenant<S> {
    /// Adds attributes to the spans of any layer of its type, whatever the tracer; it makes no spans itself.
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
        // A field of the span's own has been taken already, or will be when it is recorded.
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
