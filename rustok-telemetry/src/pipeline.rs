//! The providers: built before anything is installed, so that an error leaves the process as it was.

use opentelemetry::global;
use opentelemetry_sdk::{
    Resource,
    logs::SdkLoggerProvider,
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::SdkTracerProvider,
};

use crate::{
    InitError,
    config::{LogsExporter, MetricsExporter, TelemetryConfig, TracesExporter},
    logging::{RecordSender, logger_provider},
    metrics,
    otlp::{self, ConnectionRuntime},
    propagation, resource,
    shutdown::Running,
    trace::{Machinery, SpanFilter, tracer_provider},
};

/// What is built, and not yet installed.
pub(crate) struct Pipeline {
    pub(crate) tracer_provider: SdkTracerProvider,
    pub(crate) record_sender: Option<RecordSender>,
    logger_provider: Option<SdkLoggerProvider>,
    meter_provider: SdkMeterProvider,
    registry: prometheus::Registry,
}

impl Pipeline {
    pub(crate) fn build(
        config: &TelemetryConfig,
        runtime: &mut ConnectionRuntime,
        machinery: Machinery,
    ) -> Result<Self, InitError> {
        let resource = resource::build(config);
        let (meter_provider, registry) = meter_provider(config, resource.clone(), runtime)?;
        let tracer_provider = tracer_provider(config, resource.clone(), runtime)?;
        let logger_provider = logger_provider(config, resource, runtime)?;
        let record_sender = logger_provider
            .as_ref()
            .map(|provider| RecordSender::new(provider, machinery));
        Ok(Self {
            tracer_provider,
            record_sender,
            logger_provider,
            meter_provider,
            registry,
        })
    }

    pub(crate) fn install(
        self,
        config: &TelemetryConfig,
        runtime: ConnectionRuntime,
        span_filter: SpanFilter,
    ) -> Running {
        metrics::meter_provider::install_instruments(&self.meter_provider);
        global::set_meter_provider(self.meter_provider.clone());
        global::set_tracer_provider(self.tracer_provider.clone());
        propagation::install(&config.propagators);
        metrics::prometheus_text::serve(self.registry);
        Running {
            tracer_provider: self.tracer_provider,
            logger_provider: self.logger_provider,
            meter_provider: self.meter_provider,
            pushes_metrics: *config.metrics.exporter == MetricsExporter::Otlp,
            runtime,
            span_filter,
            record_sender: self.record_sender,
        }
    }
}

fn meter_provider(
    config: &TelemetryConfig,
    resource: Resource,
    runtime: &mut ConnectionRuntime,
) -> Result<(SdkMeterProvider, prometheus::Registry), InitError> {
    let push = match *config.metrics.exporter {
        MetricsExporter::Otlp => {
            let limit = *config.metrics.timeout;
            let exporter = otlp::metric_exporter(&config.metrics.otlp, limit, runtime)?;
            let interval = *config.metrics.interval;
            Some(
                PeriodicReader::builder(exporter)
                    .with_interval(interval)
                    .build(),
            )
        }
        MetricsExporter::Prometheus | MetricsExporter::None => None,
    };
    metrics::meter_provider::build(resource, push)
}

fn tracer_provider(
    config: &TelemetryConfig,
    resource: Resource,
    runtime: &mut ConnectionRuntime,
) -> Result<SdkTracerProvider, InitError> {
    let exporter = match *config.traces.exporter {
        TracesExporter::Otlp => {
            let limit = *config.traces.batch.export_timeout;
            Some(otlp::span_exporter(&config.traces.otlp, limit, runtime)?)
        }
        TracesExporter::None => None,
    };
    Ok(tracer_provider::build(&config.traces, resource, exporter))
}

fn logger_provider(
    config: &TelemetryConfig,
    resource: Resource,
    runtime: &mut ConnectionRuntime,
) -> Result<Option<SdkLoggerProvider>, InitError> {
    match *config.logs.exporter {
        LogsExporter::Otlp => {
            let limit = *config.logs.batch.export_timeout;
            let exporter = otlp::log_exporter(&config.logs.otlp, limit, runtime)?;
            Ok(Some(logger_provider::build(
                &config.logs,
                resource,
                exporter,
            )))
        }
        LogsExporter::None => Ok(None),
    }
}
