//! The layers that see the application's spans, and only those.

use opentelemetry::trace::TracerProvider;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::{FilterFn, filter_fn},
    registry::LookupSpan,
};

use super::inherited_tenant::InheritedTenant;
use super::unfiltered_lifecycle::UnfilteredLifecycle;
use super::{
    UniqueTracerProvider, exporter_targets::ExporterTargets, panics,
    span_metrics::SpanMetricsLayer, typed_values::TypedValues,
};

/// Which spans are counted and exported.
#[derive(Debug, Clone)]
pub(crate) struct SpanFilter {
    level: Level,
    exporter_targets: ExporterTargets,
}

impl SpanFilter {
    pub(crate) fn new(level: Level, exporter_targets: ExporterTargets) -> Self {
        Self {
            level,
            exporter_targets,
        }
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        // The log event of a panic is an `exception` event of its span already.
        *metadata.level() <= self.level
            && !self.exporter_targets.includes(metadata.target())
            && metadata.target() != panics::TARGET
    }

    /// Span metrics and the export of traces, for the spans that are wanted.
    pub(crate) fn layer<S>(
        &self,
        provider: &UniqueTracerProvider,
    ) -> impl Layer<S> + Send + Sync + 'static + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        // Source location, thread and busy/idle times are a third of a span's cost.
        let traces = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("rustok_telemetry"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false);
        SpanMetricsLayer::new()
            .and_then(TypedValues::new(traces))
            .and_then(InheritedTenant::new())
            .with_filter(self.filter())
    }

    /// Span metrics alone, for the spans that are wanted.
    pub(crate) fn metrics_layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        // The layer knows its open spans itself, and asks for its tenant only of those.
        UnfilteredLifecycle::new(SpanMetricsLayer::new(), self.filter())
    }

    fn filter(&self) -> FilterFn<impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static + use<>> {
        let own = self.clone();
        filter_fn(move |metadata| own.wants(metadata))
    }
}
