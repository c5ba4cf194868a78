//! The layers for spans, behind a filter for the application's own.

use opentelemetry::trace::TracerProvider;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::{FilterFn, filter_fn},
    registry::LookupSpan,
};

use super::inherited_tenant::InheritedTenant;
use super::native::{NativeLayer, NativePipeline};
use super::unfiltered_lifecycle::UnfilteredLifecycle;
use super::{
    UniqueTracerProvider, exporter_targets::ExporterTargets, panics,
    span_metrics::SpanMetricsLayer, typed_values::TypedValues,
};

/// Selects the spans that are counted and exported.
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

    fn enables(&self, metadata: &Metadata<'_>) -> bool {
        // The span of a panic has an `exception` event, so the panic's log event is excluded.
        *metadata.level() <= self.level
            && !self.exporter_targets.includes(metadata.target())
            && metadata.target() != panics::TARGET
    }

    /// Returns the layer of span metrics and trace export.
    pub(crate) fn layer<S>(
        &self,
        provider: &UniqueTracerProvider,
    ) -> Box<dyn Layer<S> + Send + Sync + 'static>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        match provider.native() {
            Some(pipeline) => Box::new(self.native_layer(pipeline.clone())),
            None => Box::new(self.sdk_layer(provider)),
        }
    }

    /// Returns a layer whose spans are those of the SDK.
    fn sdk_layer<S>(
        &self,
        provider: &UniqueTracerProvider,
    ) -> impl Layer<S> + Send + Sync + 'static + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        // Location, thread and busy/idle times would take a third of a span's time.
        let traces = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("rustok_telemetry"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false);
        let metrics = SpanMetricsLayer::new();
        let closed = metrics.closed_spans();
        metrics
            .and_then(TypedValues::new(traces))
            .and_then(InheritedTenant::new())
            .and_then(closed)
            .with_filter(self.filter())
    }

    /// Returns a layer whose spans are this crate's own.
    fn native_layer<S>(
        &self,
        pipeline: NativePipeline,
    ) -> impl Layer<S> + Send + Sync + 'static + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        UnfilteredLifecycle::new(NativeLayer::new(pipeline), self.filter())
    }

    /// Returns the layer of span metrics alone.
    pub(crate) fn metrics_layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let metrics = SpanMetricsLayer::new();
        let closed = metrics.closed_spans();
        UnfilteredLifecycle::new(metrics.and_then(closed), self.filter())
    }

    fn filter(&self) -> FilterFn<impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static + use<>> {
        let filter = self.clone();
        filter_fn(move |metadata| filter.enables(metadata))
    }
}
