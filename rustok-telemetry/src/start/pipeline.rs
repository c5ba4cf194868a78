//! The providers, which are built before anything is installed: an error leaves the process as it was.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use opentelemetry::global;
use opentelemetry_sdk::{
    Resource,
    logs::SdkLoggerProvider,
    metrics::{SdkMeterProvider, Temporality},
};

use super::{
    console_page::{ConsolePage, ConsoleSettings},
    existing::{self, Existing},
    extensions::Extensions,
    flush::Flushes,
    resource,
    shutdown::Running,
};
use crate::{
    InitError,
    config::{
        LogsConfig, LogsExporter, MetricsConfig, MetricsExporter, SpoolConfig, TelemetryConfig,
        TemporalityPreference, TracesConfig, TracesExporter,
    },
    logging::{LogFilter, RecordSender, logger_provider},
    metrics::{
        self, current_span,
        global_meters::GlobalMeterProvider,
        meter_provider::{Collection, install_instruments},
        on_demand_reader::OnDemandReader,
        push_reader::PushReader,
    },
    otlp::{
        ConnectionRuntime, EncodingLogProcessor, EncodingSpanProcessor, LogExport, MetricExporter,
        SpanEncoding, SpanExport,
    },
    prometheus::{server, text},
    propagation,
    stdout::{ConsoleMetrics, ConsoleSpans},
    trace::{
        ExporterTargets, SpanFilter, UniqueTracerProvider, native::NativePipeline, tracer_provider,
    },
};

/// The providers, built and not yet installed.
pub(crate) struct Pipeline {
    pub(crate) tracer_provider: UniqueTracerProvider,
    pub(crate) record_sender: Option<RecordSender>,
    logger_provider: Option<SdkLoggerProvider>,
    meter_provider: SdkMeterProvider,
    /// `None` if the meter provider of the service does not have it.
    text_reader: Option<OnDemandReader>,
    /// Address of the Prometheus server, if one is configured.
    pub(crate) text_address: Option<SocketAddr>,
    console: ConsolePage,
    collection: Collection,
    has_exporters: bool,
    pushes_metrics: bool,
    /// Whether the providers are those of the service, which sets the global ones and shuts them down.
    is_of_service: bool,
}

impl Pipeline {
    pub(crate) fn build(
        config: &TelemetryConfig,
        log_filter: &LogFilter,
        runtime: &mut ConnectionRuntime,
        exporter_targets: ExporterTargets,
        console: &ConsoleSettings,
        extensions: &mut Extensions,
    ) -> Result<Self, InitError> {
        let resource = resource::build(config, extensions.detected());
        let console = console.build(&resource, config)?;
        let has = |exporter| config.metrics.exporters.value.contains(&exporter);
        let pushes_otlp = has(MetricsExporter::Otlp);
        let collection = Collection {
            // The Prometheus text and the console are cumulative, whatever the preference.
            temporality: match pushes_otlp {
                true => temporality(&config.metrics),
                false => Temporality::Cumulative,
            },
            extended: extensions.has_metrics(),
        };
        let pushes_metrics = pushes_otlp || has(MetricsExporter::Console) || collection.extended;
        let has_exporters = pushes_metrics
            || !config.traces.exporters.value.is_empty()
            || !config.logs.exporters.value.is_empty()
            || extensions.need_sdk_spans()
            || extensions.has_logs();
        let (meter_provider, text_reader) = meter_provider(
            &config.metrics,
            collection,
            resource.clone(),
            runtime,
            extensions,
        )?;
        let text_address = match config.metrics.prometheus_address() {
            Some((host, port)) => Some(server::start(host, port, &runtime.handle()?)?),
            None => None,
        };
        let tracer_provider = tracer_provider(
            &config.traces,
            &config.spool,
            resource.clone(),
            runtime,
            &console,
            extensions,
        )?;
        // If nothing else needs log records, the console decides which ones are created.
        let is_for_page = config.logs.exporters.value.is_empty() && !extensions.has_logs();
        let log_observer = console.log_observer();
        let is_only_exported = config.logs.exporters.value == [LogsExporter::Otlp]
            && !extensions.has_logs()
            && log_observer.is_none();
        let log_observer = log_observer.filter(|_| is_for_page);
        let logger_provider = logger_provider(
            &config.logs,
            &config.spool,
            resource,
            runtime,
            &console,
            extensions,
        )?;
        let record_sender = logger_provider.as_ref().map(|provider| {
            RecordSender::new(provider, exporter_targets, config, log_filter.clone())
                .for_observer(log_observer)
                .only_exported(is_only_exported)
        });
        Ok(Self {
            tracer_provider,
            record_sender,
            logger_provider,
            meter_provider,
            text_reader: Some(text_reader),
            text_address,
            console,
            collection,
            has_exporters,
            pushes_metrics,
            is_of_service: false,
        })
    }

    /// Uses the providers of the service.
    pub(crate) fn of_service(
        existing: Existing,
        config: &TelemetryConfig,
        console: &ConsoleSettings,
        extensions: &Extensions,
    ) -> Result<Self, InitError> {
        if !extensions.is_empty() {
            let unused = "processors, exporters, readers, views, samplers and resource detectors belong to the \
                          providers: add them there";
            return Err(InitError::pipeline("the providers of the service", unused));
        }
        let resource = resource::build(config, extensions.detected());
        Ok(Self {
            tracer_provider: UniqueTracerProvider::given(existing.tracer_provider),
            record_sender: None,
            logger_provider: None,
            meter_provider: existing.meter_provider,
            text_reader: existing::registered_text_reader(),
            text_address: None,
            console: console.build(&resource, config)?,
            collection: Collection {
                temporality: Temporality::Cumulative,
                extended: true,
            },
            has_exporters: true,
            pushes_metrics: true,
            is_of_service: true,
        })
    }

    pub(crate) fn install(
        self,
        config: &TelemetryConfig,
        runtime: ConnectionRuntime,
        span_filter: SpanFilter,
    ) -> Running {
        current_span::install(config.metrics.exemplars.value);
        let views = &config.metrics.views.value;
        install_instruments(&self.meter_provider, self.collection, views);
        if !self.is_of_service {
            global::set_meter_provider(GlobalMeterProvider(self.meter_provider.clone()));
            global::set_tracer_provider(self.tracer_provider.clone());
        }
        if !self.is_of_service || !propagation::is_installed() {
            propagation::install(&config.propagators.value);
        }
        self.console.install(self.text_reader.clone());
        text::serve(self.text_reader);
        Running {
            tracer_provider: self.tracer_provider,
            logger_provider: self.logger_provider,
            meter_provider: self.meter_provider,
            has_exporters: self.has_exporters,
            pushes_metrics: self.pushes_metrics,
            is_of_service: self.is_of_service,
            runtime,
            span_filter,
            record_sender: self.record_sender,
            flushes: Flushes::default(),
            console: self.console,
            started: Instant::now(),
        }
    }
}

/// Returns the temporality of OTLP exports.
fn temporality(config: &MetricsConfig) -> Temporality {
    match config.temporality.value {
        TemporalityPreference::Cumulative => Temporality::Cumulative,
        TemporalityPreference::Delta => Temporality::Delta,
        TemporalityPreference::LowMemory => Temporality::LowMemory,
    }
}

fn meter_provider(
    config: &MetricsConfig,
    collection: Collection,
    resource: Resource,
    runtime: &mut ConnectionRuntime,
    extensions: &mut Extensions,
) -> Result<(SdkMeterProvider, OnDemandReader), InitError> {
    let has = |exporter| config.exporters.value.contains(&exporter);
    let interval = config.interval.value;
    let reader = |temporality| OnDemandReader::new(temporality, !collection.extended);
    let otlp = match has(MetricsExporter::Otlp) {
        true => {
            let exporter = MetricExporter::new(config, runtime)?;
            let reader = reader(collection.temporality);
            Some(PushReader::start(reader, interval, exporter)?)
        }
        false => None,
    };
    let text_reader = reader(Temporality::Cumulative);
    let console = match has(MetricsExporter::Console) {
        true => {
            let reader = reader(Temporality::Cumulative);
            Some(PushReader::start(reader, interval, ConsoleMetrics)?)
        }
        false => None,
    };
    let views = extensions.views().to_vec();
    let provider = metrics::meter_provider::build(resource, &views, |mut builder| {
        for reader in console.into_iter().chain(otlp) {
            builder = builder.with_reader(reader);
        }
        // Last, so that the text can be read until the last push has ended.
        extensions
            .add_to_meters(builder, config)
            .with_reader(text_reader.clone())
    });
    Ok((provider, text_reader))
}

fn tracer_provider(
    config: &TracesConfig,
    spool: &SpoolConfig,
    resource: Resource,
    runtime: &mut ConnectionRuntime,
    page: &ConsolePage,
    extensions: &mut Extensions,
) -> Result<UniqueTracerProvider, InitError> {
    let has = |exporter| config.exporters.value.contains(&exporter);
    let export = match has(TracesExporter::Otlp) {
        true => Some(SpanExport::start(config, spool, &resource, runtime)?),
        false => None,
    };
    let encoding = Arc::new(SpanEncoding::new(export, page.span_observer()));
    let console = has(TracesExporter::Console);
    let needs_sdk = console || extensions.need_sdk_spans();
    let mut native = None;
    let provider = tracer_provider::build(config, resource, |builder, limits, sampler| {
        let sampler = page.sampler(extensions.sampler(sampler));
        if !needs_sdk {
            native = Some(NativePipeline {
                sampler: sampler.clone(),
                limits,
                sink: encoding.clone(),
            });
        }
        let mut builder = builder.with_sampler(sampler);
        if console {
            builder = builder.with_span_processor(ConsoleSpans::new(limits));
        }
        // Native spans need its shutdown.
        if encoding.is_needed() || !needs_sdk {
            builder = builder.with_span_processor(EncodingSpanProcessor::new(limits, encoding));
        }
        // Last, so that at a shutdown none delays the exporters of this crate.
        extensions.add_to_tracers(builder, config, limits)
    });
    Ok(match native {
        Some(native) => provider.with_native(native),
        None => provider,
    })
}

fn logger_provider(
    config: &LogsConfig,
    spool: &SpoolConfig,
    resource: Resource,
    runtime: &mut ConnectionRuntime,
    page: &ConsolePage,
    extensions: &mut Extensions,
) -> Result<Option<SdkLoggerProvider>, InitError> {
    let is_for_observer = config.exporters.value.is_empty() && !extensions.has_logs();
    if is_for_observer && !page.is_on() {
        return Ok(None);
    }
    let export = match config.exporters.value.contains(&LogsExporter::Otlp) {
        true => Some(LogExport::start(config, spool, &resource, runtime)?),
        false => None,
    };
    let observer = page.log_observer();
    Ok(Some(logger_provider::build(config, resource, |builder| {
        let builder = extensions.add_to_loggers(builder);
        match export.is_some() || observer.is_some() {
            true => builder.with_log_processor(EncodingLogProcessor {
                export,
                observer,
                is_for_observer,
            }),
            false => builder,
        }
    })))
}
