//! OpenTelemetry's own extension points: processors, exporters, readers, views, a sampler and resource detectors of the
//! service.

use std::{fmt, sync::Arc};

use opentelemetry::Key;
use opentelemetry_sdk::{
    Resource,
    logs::{LogProcessor, LoggerProviderBuilder},
    metrics::{
        Instrument, MeterProviderBuilder, PeriodicReader, Stream, exporter::PushMetricExporter,
        reader::MetricReader,
    },
    resource::ResourceDetector,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, ShouldSample, SpanExporter, SpanProcessor,
        TracerProviderBuilder,
    },
};

use crate::{
    Builder,
    config::{MetricsConfig, TracesConfig},
    metrics::meter_provider::SdkView,
    trace::{CompletingProcessor, SpanLimits},
};

type AddSpans = dyn FnOnce(TracerProviderBuilder, &TracesConfig, SpanLimits) -> TracerProviderBuilder
    + Send
    + Sync;
type AddMetrics =
    dyn FnOnce(MeterProviderBuilder, &MetricsConfig) -> MeterProviderBuilder + Send + Sync;
type AddLogs = dyn FnOnce(LoggerProviderBuilder) -> LoggerProviderBuilder + Send + Sync;

/// What a service adds to the providers.
#[derive(Default)]
pub(crate) struct Extensions {
    spans: Vec<Box<AddSpans>>,
    sampler: Option<Box<dyn ShouldSample>>,
    metrics: Vec<Box<AddMetrics>>,
    views: Vec<SdkView>,
    logs: Vec<Box<AddLogs>>,
    detected: Detected,
}

/// The attributes that resource detectors found.
#[derive(Debug, Clone)]
pub(super) struct Detected(Resource);

impl Default for Detected {
    fn default() -> Self {
        Self(Resource::builder_empty().build())
    }
}

impl Detected {
    pub(super) fn service_name(&self) -> Option<String> {
        let name = self.0.get(&Key::from_static_str("service.name"));
        name.map(|name| name.to_string())
    }
}

impl ResourceDetector for Detected {
    fn detect(&self) -> Resource {
        self.0.clone()
    }
}

/// Components of OpenTelemetry's SDK, in addition to those that the environment configures.
///
/// ```no_run
/// use opentelemetry_sdk::{metrics::InMemoryMetricExporter, trace::{InMemorySpanExporter, Sampler}};
///
/// # fn main() -> Result<(), rustok_telemetry::InitError> {
/// let spans = InMemorySpanExporter::default();
/// let telemetry = rustok_telemetry::builder()
///     .with_span_exporter(spans.clone())
///     .with_sampler(Sampler::TraceIdRatioBased(0.5))
///     .with_metric_exporter(InMemoryMetricExporter::default())
///     .init()?;
/// # drop(telemetry);
/// # Ok(())
/// # }
/// ```
impl Builder {
    /// Adds a span processor. It gets each span that the sampler does not drop, with the attributes that are exported,
    /// after the processors that were added before.
    ///
    /// Spans are then those of the SDK instead of this crate's own layer, with the same content. A span then takes
    /// longer.
    ///
    /// Spans of exporters ([`is_exporter_target`](crate::trace::is_exporter_target)) are not recorded.
    pub fn with_span_processor(mut self, processor: impl SpanProcessor + 'static) -> Self {
        self.extensions.spans.push(Box::new(|builder, _, limits| {
            builder.with_span_processor(CompletingProcessor { processor, limits })
        }));
        self
    }

    /// Adds a span exporter, behind a batch processor of the SDK with the settings `OTEL_BSP_*`.
    ///
    /// Spans are made as for [`with_span_processor`](Self::with_span_processor).
    ///
    /// The SDK drops spans that find its queue full, and logs their number at the shutdown; the metrics
    /// `rustok_telemetry_spans_*` are those of the OTLP exporter alone.
    pub fn with_span_exporter(mut self, exporter: impl SpanExporter + 'static) -> Self {
        self.extensions
            .spans
            .push(Box::new(|builder, config, limits| {
                let batch = &config.batch;
                let settings = BatchConfigBuilder::default()
                    .with_max_queue_size(batch.max_queue_size.value as usize)
                    .with_max_export_batch_size(batch.max_export_batch_size.value as usize)
                    .with_scheduled_delay(batch.schedule_delay.value);
                let processor =
                    BatchSpanProcessor::builder(exporter).with_batch_config(settings.build());
                let processor = processor.build();
                builder.with_span_processor(CompletingProcessor { processor, limits })
            }));
        self
    }

    /// Sets the sampler. Takes precedence over `OTEL_TRACES_SAMPLER`. Span metrics count every span, whatever it
    /// decides.
    ///
    /// Spans are made as for [`with_span_processor`](Self::with_span_processor), since the sampler may look at their
    /// attributes.
    pub fn with_sampler(mut self, sampler: impl ShouldSample + 'static) -> Self {
        self.extensions.sampler = Some(Box::new(sampler));
        self
    }

    /// Adds a reader of metrics, with the temporality that it chooses.
    ///
    /// Recorded values are then stored in SDK instruments instead of this crate's atomics, so that the reader has every
    /// metric with the names, labels and values of the Prometheus text. A record then takes longer.
    pub fn with_metric_reader(mut self, reader: impl MetricReader) -> Self {
        let add = |builder: MeterProviderBuilder, _: &_| builder.with_reader(reader);
        self.extensions.metrics.push(Box::new(add));
        self
    }

    /// Adds a metric exporter, behind a periodic reader of the SDK with the interval `OTEL_METRIC_EXPORT_INTERVAL`.
    ///
    /// Values are stored as for [`with_metric_reader`](Self::with_metric_reader).
    pub fn with_metric_exporter(mut self, exporter: impl PushMetricExporter) -> Self {
        let add = |builder: MeterProviderBuilder, config: &MetricsConfig| {
            let reader = PeriodicReader::builder(exporter).with_interval(config.interval.value);
            builder.with_reader(reader.build())
        };
        self.extensions.metrics.push(Box::new(add));
        self
    }

    /// Adds a view: a function that renames, describes, aggregates or drops the instruments for which it returns a
    /// stream, on every way out, the Prometheus text included.
    ///
    /// It sees the metrics of the catalogue as well as those of other meters. As in the SDK, each view that returns a
    /// stream creates one, and a stream that sets no `with_cardinality_limit` has at most 2000 label sets. Values are
    /// stored as for [`with_metric_reader`](Self::with_metric_reader). Views of the configuration file come first: a
    /// metric that they drop is not created.
    ///
    /// ```
    /// use opentelemetry_sdk::metrics::{Aggregation, Stream};
    ///
    /// let builder = rustok_telemetry::builder().with_view(|instrument| {
    ///     let is_size = instrument.name().ends_with("_size_bytes");
    ///     let drop = Stream::builder().with_aggregation(Aggregation::Drop);
    ///     is_size.then(|| drop.build().ok()).flatten()
    /// });
    /// # drop(builder);
    /// ```
    pub fn with_view(
        mut self,
        view: impl Fn(&Instrument) -> Option<Stream> + Send + Sync + 'static,
    ) -> Self {
        self.extensions.views.push(Arc::new(view));
        self
    }

    /// Adds a log processor. It gets each log record that `RUST_LOG` enables, before the exporters, and may change it.
    ///
    /// Records are created even if `OTEL_LOGS_EXPORTER` is `none`.
    pub fn with_log_processor(mut self, processor: impl LogProcessor + 'static) -> Self {
        let add = |builder: LoggerProviderBuilder| builder.with_log_processor(processor);
        self.extensions.logs.push(Box::new(add));
        self
    }

    /// Runs a resource detector, whose attributes are in the resource of all signals and in `target_info`.
    ///
    /// Attributes of the environment and of this builder take precedence, and then those of later detectors.
    pub fn with_resource_detector(mut self, detector: impl ResourceDetector + 'static) -> Self {
        let resource = Resource::builder_empty()
            .with_detector(Box::new(self.extensions.detected))
            .with_detector(Box::new(detector));
        self.extensions.detected = Detected(resource.build());
        self
    }
}

impl Extensions {
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            spans,
            sampler,
            metrics,
            views,
            logs,
            detected,
        } = self;
        let providers = spans.is_empty() && metrics.is_empty() && logs.is_empty();
        providers && sampler.is_none() && views.is_empty() && detected.0.is_empty()
    }

    pub(super) fn detected(&self) -> &Detected {
        &self.detected
    }

    pub(super) fn sampler(&self, configured: Box<dyn ShouldSample>) -> Box<dyn ShouldSample> {
        self.sampler.clone().unwrap_or(configured)
    }

    /// Whether spans have to be those of the SDK: a processor or an exporter gets them, or a sampler sees their
    /// attributes.
    pub(super) fn need_sdk_spans(&self) -> bool {
        !self.spans.is_empty() || self.sampler.is_some()
    }

    pub(super) fn views(&self) -> &[SdkView] {
        &self.views
    }

    /// Returns whether metrics are stored in the SDK.
    pub(super) fn has_metrics(&self) -> bool {
        !self.metrics.is_empty() || !self.views.is_empty()
    }

    pub(super) fn has_logs(&self) -> bool {
        !self.logs.is_empty()
    }

    pub(super) fn add_to_tracers(
        &mut self,
        builder: TracerProviderBuilder,
        config: &TracesConfig,
        limits: SpanLimits,
    ) -> TracerProviderBuilder {
        let added = self.spans.drain(..);
        added.fold(builder, |builder, add| add(builder, config, limits))
    }

    pub(super) fn add_to_meters(
        &mut self,
        builder: MeterProviderBuilder,
        config: &MetricsConfig,
    ) -> MeterProviderBuilder {
        let added = self.metrics.drain(..);
        added.fold(builder, |builder, add| add(builder, config))
    }

    pub(super) fn add_to_loggers(
        &mut self,
        builder: LoggerProviderBuilder,
    ) -> LoggerProviderBuilder {
        self.logs
            .drain(..)
            .fold(builder, |builder, add| add(builder))
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extensions")
            .field("spans", &self.spans.len())
            .field("sampler", &self.sampler)
            .field("metrics", &self.metrics.len())
            .field("views", &self.views.len())
            .field("logs", &self.logs.len())
            .field("detected", &self.detected)
            .finish()
    }
}
