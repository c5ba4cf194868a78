//! The providers, which are built before anything is installed: an error leaves the process as it was.

use std::net::SocketAddr;

use opentelemetry::global;
use opentelemetry_sdk::{
    Resource,
    logs::SdkLoggerProvider,
    metrics::{PeriodicReader, SdkMeterProvider, Temporality, exporter::PushMetricExporter},
};

use super::{
    console_page::{ConsolePage, ConsoleSettings},
    flush::Flushes,
    resource,
    shutdown::Running,
};
use crate::{
    InitError,
    config::{
        LogsConfig, LogsExporter, MetricsConfig, MetricsExporter, TelemetryConfig,
        TemporalityPreference, TracesConfig, TracesExporter,
    },
    logging::{LogFilter, RecordSender, logger_provider},
    metrics::{self, current_span, meter_provider::install_instruments},
    otlp::{ConnectionRuntime, LogRecordExporter, MetricExporter, OtlpSpanExporter},
    prometheus::{reader::TextReader, server, text},
    propagation,
    stdout::{ConsoleMetrics, ConsoleSpans},
    trace::{ExporterTargets, SpanFilter, UniqueTracerProvider, tracer_provider},
};

/// The providers, built and not yet installed.
pub(crate) struct Pipeline {
    pub(crate) tracer_provider: UniqueTracerProvider,
    pub(crate) record_sender: Option<RecordSender>,
    logger_provider: Option<SdkLoggerProvider>,
    meter_provider: SdkMeterProvider,
    text_reader: TextReader,
    /// Address of the Prometheus server, if one is configured.
    pub(crate) text_address: Option<SocketAddr>,
    console: ConsolePage,
}

impl Pipeline {
    pub(crate) fn build(
        config: &TelemetryConfig,
        log_filter: &LogFilter,
        runtime: &mut ConnectionRuntime,
        exporter_targets: ExporterTargets,
        console: &ConsoleSettings,
    ) -> Result<Self, InitError> {
        let resource = resource::build(config);
        let console = console.build(&resource, config)?;
        let (meter_provider, text_reader) =
            meter_provider(&config.metrics, resource.clone(), runtime)?;
        let text_address = match config.metrics.prometheus_address() {
            Some((host, port)) => Some(server::start(host, port, &runtime.handle()?)?),
            None => None,
        };
        let tracer_provider = tracer_provider(&config.traces, resource.clone(), runtime, &console)?;
        let logger_provider = logger_provider(&config.logs, resource, runtime, &console)?;
        let record_sender = logger_provider.as_ref().map(|provider| {
            RecordSender::new(provider, exporter_targets, config, log_filter.clone())
        });
        Ok(Self {
            tracer_provider,
            record_sender,
            logger_provider,
            meter_provider,
            text_reader,
            text_address,
            console,
        })
    }

    pub(crate) fn install(
        self,
        config: &TelemetryConfig,
        runtime: ConnectionRuntime,
        span_filter: SpanFilter,
    ) -> Running {
        let metrics = &config.metrics;
        let pushes_metrics = metrics.exporters.value.contains(&MetricsExporter::Otlp);
        // The Prometheus text and the console are cumulative, whatever the preference.
        let temporality = match pushes_metrics {
            true => temporality(metrics),
            false => Temporality::Cumulative,
        };
        current_span::install(metrics.exemplars.value);
        install_instruments(&self.meter_provider, temporality, &metrics.views.value);
        global::set_meter_provider(self.meter_provider.clone());
        global::set_tracer_provider(self.tracer_provider.clone());
        propagation::install(&config.propagators.value);
        self.console.install(Some(self.text_reader.clone()));
        text::serve(self.text_reader);
        Running {
            tracer_provider: self.tracer_provider,
            logger_provider: self.logger_provider,
            meter_provider: self.meter_provider,
            pushes_metrics,
            runtime,
            span_filter,
            record_sender: self.record_sender,
            flushes: Flushes::default(),
            console: self.console,
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
    resource: Resource,
    runtime: &mut ConnectionRuntime,
) -> Result<(SdkMeterProvider, TextReader), InitError> {
    let has = |exporter| config.exporters.value.contains(&exporter);
    let otlp = match has(MetricsExporter::Otlp) {
        true => {
            let limit = config.timeout.value;
            let exporter = MetricExporter::new(&config.otlp, temporality(config), limit, runtime)?;
            Some(periodic(config, exporter))
        }
        false => None,
    };
    let console = has(MetricsExporter::Console).then(|| periodic(config, ConsoleMetrics));
    let text_reader = TextReader::default();
    let provider = metrics::meter_provider::build(resource, |mut builder| {
        if let Some(console) = console {
            builder = builder.with_reader(console);
        }
        if let Some(otlp) = otlp {
            builder = builder.with_reader(otlp);
        }
        // Last, so that the text can be read until the last push has ended.
        builder.with_reader(text_reader.clone())
    });
    Ok((provider, text_reader))
}

fn periodic<E: PushMetricExporter>(config: &MetricsConfig, exporter: E) -> PeriodicReader<E> {
    PeriodicReader::builder(exporter)
        .with_interval(config.interval.value)
        .build()
}

fn tracer_provider(
    config: &TracesConfig,
    resource: Resource,
    runtime: &mut ConnectionRuntime,
    page: &ConsolePage,
) -> Result<UniqueTracerProvider, InitError> {
    let exporter = match config.exporters.value.contains(&TracesExporter::Otlp) {
        true => {
            let limit = config.batch.export_timeout.value;
            Some(OtlpSpanExporter::new(&config.otlp, limit, runtime)?)
        }
        false => None,
    };
    let console = config.exporters.value.contains(&TracesExporter::Console);
    Ok(tracer_provider::build(
        config,
        resource,
        exporter,
        |builder, limits, sampler| {
            let builder = page.add_to_tracers(builder, limits, sampler);
            match console {
                true => builder.with_span_processor(ConsoleSpans::new(limits)),
                false => builder,
            }
        },
    ))
}

fn logger_provider(
    config: &LogsConfig,
    resource: Resource,
    runtime: &mut ConnectionRuntime,
    page: &ConsolePage,
) -> Result<Option<SdkLoggerProvider>, InitError> {
    if config.exporters.value.is_empty() && !page.is_on() {
        return Ok(None);
    }
    let exporter = match config.exporters.value.contains(&LogsExporter::Otlp) {
        true => {
            let limit = config.batch.export_timeout.value;
            Some(LogRecordExporter::new(&config.otlp, limit, runtime)?)
        }
        false => None,
    };
    Ok(Some(logger_provider::build(
        config,
        resource,
        exporter,
        |builder| page.add_to_loggers(builder),
    )))
}
