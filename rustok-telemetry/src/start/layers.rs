//! Layers for a subscriber that the service puts together itself.

use tracing::Subscriber;
use tracing_subscriber::{Layer, registry::LookupSpan};

use crate::{InitError, LogFormat, Telemetry, logging};

/// For services that call [`without_subscriber`](crate::Builder::without_subscriber). Together these layers are what
/// [`init`](crate::init()) would have installed:
///
/// ```no_run
/// use rustok_telemetry::LogFormat;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = rustok_telemetry::builder().without_subscriber().init()?;
/// let subscriber = tracing_subscriber::registry()
///     .with(telemetry.log_layer(LogFormat::Json)?)
///     .with(telemetry.log_export_layer()?)
///     .with(telemetry.layer());
/// tracing::subscriber::set_global_default(subscriber)?;
/// # drop(telemetry);
/// # Ok(())
/// # }
/// ```
impl Telemetry {
    /// Span metrics and the export of traces; nothing if telemetry is switched off.
    pub fn layer<S>(&self) -> Option<impl Layer<S> + Send + Sync + 'static + use<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        self.running
            .as_ref()
            .map(|running| running.span_filter.layer(&running.tracer_provider))
    }

    /// Span metrics alone, for a service whose traces are exported by a layer of its own; nothing if telemetry is switched
    /// off.
    pub fn span_metrics_layer<S>(&self) -> Option<impl Layer<S> + Send + Sync + 'static + use<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let running = self.running.as_ref();
        running.map(|running| running.span_filter.metrics_layer())
    }

    /// Log lines on standard error, as `RUST_LOG` says. Each tells the `trace_id`, `span_id` and `tenant_id` that it
    /// belongs to, for which [`layer`](Self::layer) must be in the same subscriber. There are lines even if telemetry
    /// is switched off.
    ///
    /// # Errors
    ///
    /// [`InitError::Logging`] if `RUST_LOG` is wrong.
    pub fn log_layer<S>(
        &self,
        format: LogFormat,
    ) -> Result<impl Layer<S> + Send + Sync + 'static + use<S>, InitError>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        logging::lines(format, &self.log_filter)
    }

    /// Log records by OTLP, as `RUST_LOG` says; it does nothing unless `OTEL_LOGS_EXPORTER` is `otlp`. It goes together with
    /// any layer for lines, ours or another.
    ///
    /// # Errors
    ///
    /// [`InitError::Logging`] if `RUST_LOG` is wrong.
    pub fn log_export_layer<S>(
        &self,
    ) -> Result<impl Layer<S> + Send + Sync + 'static + use<S>, InitError>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let running = self.running.as_ref();
        logging::records(running.and_then(|running| running.record_sender.as_ref()))
    }
}
