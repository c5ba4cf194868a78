//! Layers for a subscriber that the service composes.

use tracing::Subscriber;
use tracing_subscriber::{Layer, registry::LookupSpan};

use crate::{InitError, LogFormat, Telemetry, logging};

/// Layers for services that use [`without_subscriber`](crate::Builder::without_subscriber). Together they are the
/// subscriber that [`init`](crate::init()) installs otherwise:
///
/// ```no_run
/// use rustok_telemetry::{LogFormat, trace::SequentialClose};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = rustok_telemetry::builder().without_subscriber().init()?;
/// let subscriber = tracing_subscriber::registry()
///     .with(telemetry.log_layer(LogFormat::Json)?)
///     .with(telemetry.log_export_layer()?)
///     .with(telemetry.layer());
/// tracing::subscriber::set_global_default(SequentialClose::new(subscriber))?;
/// # drop(telemetry);
/// # Ok(())
/// # }
/// ```
impl Telemetry {
    /// Returns the layer of span metrics and trace export; `None` if telemetry is disabled.
    pub fn layer<S>(&self) -> Option<impl Layer<S> + Send + Sync + 'static + use<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        self.running
            .as_ref()
            .map(|running| running.span_filter.layer(&running.tracer_provider))
    }

    /// Returns the layer of span metrics alone, for a service that exports traces with another layer; `None` if
    /// telemetry is disabled.
    pub fn span_metrics_layer<S>(&self) -> Option<impl Layer<S> + Send + Sync + 'static + use<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let running = self.running.as_ref();
        running.map(|running| running.span_filter.metrics_layer())
    }

    /// Returns the layer that writes log lines to standard error, filtered by `RUST_LOG`, also if telemetry is
    /// disabled.
    ///
    /// A line has the `trace_id`, `span_id` and `tenant_id` of its span if [`layer`](Self::layer) is in the same
    /// subscriber.
    ///
    /// # Errors
    ///
    /// [`InitError::Logging`] if `RUST_LOG` is invalid.
    pub fn log_layer<S>(
        &self,
        format: LogFormat,
    ) -> Result<impl Layer<S> + Send + Sync + 'static + use<S>, InitError>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        logging::lines(format, &self.log_filter)
    }

    /// Returns the layer that exports log records, filtered by `RUST_LOG`. It has no effect unless `OTEL_LOGS_EXPORTER`
    /// names an exporter, or the builder has a [log processor](crate::Builder::with_log_processor). It can be combined
    /// with any layer for log lines.
    ///
    /// # Errors
    ///
    /// [`InitError::Logging`] if `RUST_LOG` is invalid.
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
