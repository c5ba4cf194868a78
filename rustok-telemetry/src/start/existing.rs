//! Telemetry on the providers of a service that sets up OpenTelemetry by itself.

use std::sync::LazyLock;

use opentelemetry_sdk::{
    metrics::{SdkMeterProvider, Temporality, reader::MetricReader},
    trace::SdkTracerProvider,
};

use crate::{Builder, metrics::on_demand_reader::OnDemandReader};

/// The providers of a service.
#[derive(Debug, Clone)]
pub(crate) struct Existing {
    pub(super) tracer_provider: SdkTracerProvider,
    pub(super) meter_provider: SdkMeterProvider,
}

/// Process-wide, because it is added to the provider before there is a builder.
static TEXT_READER: LazyLock<OnDemandReader> =
    LazyLock::new(|| OnDemandReader::new(Temporality::Cumulative, false));

/// Returns the reader of the Prometheus text, for the meter provider of a service that uses
/// [`Builder::with_providers`]. All calls return the same reader, which works in one provider.
///
/// Without it [`prometheus_text`](crate::prometheus_text) and the health route of the metrics return an error, because
/// a reader cannot be added to a provider that is built.
pub fn text_reader() -> impl MetricReader + Clone {
    TEXT_READER.clone()
}

/// Returns the reader of the text, if a provider has it.
pub(super) fn registered_text_reader() -> Option<OnDemandReader> {
    Some(&*TEXT_READER)
        .filter(|reader| reader.is_registered())
        .cloned()
}

impl Builder {
    /// Uses the providers of a service that sets up OpenTelemetry by itself, and installs no subscriber.
    ///
    /// - Metrics of the catalogue are SDK instruments of `meter_provider`: its readers, exporters and views apply. If
    ///   it has the [`text_reader`], the Prometheus text contains all of its metrics.
    /// - [`Telemetry::layer`](crate::Telemetry::layer) sends spans to `tracer_provider`. A service that keeps its layer
    ///   of `tracing-opentelemetry` adds
    ///   [`Telemetry::span_metrics_layer`](crate::Telemetry::span_metrics_layer) for the span metrics.
    /// - The `metrics` crate and the [semantic HTTP metrics](Self::with_semantic_http_metrics) use `meter_provider` too.
    ///   Registries of the `prometheus` crate are in the text only.
    /// - Of the environment, only `OTEL_SDK_DISABLED`, `OTEL_PROPAGATORS`, `RUST_LOG` and `RUSTOK_TELEMETRY_STRICT` are
    ///   read, and no exporter is started, also with [`config`](Self::config). The propagators are set if the service
    ///   has set none.
    /// - The service shuts its providers down, before [`Telemetry`](crate::Telemetry), and both flush them.
    ///
    /// ```no_run
    /// use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracerProvider};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tracer_provider = SdkTracerProvider::builder().build();
    /// let meter_provider = SdkMeterProvider::builder()
    ///     .with_reader(rustok_telemetry::text_reader())
    ///     .build();
    /// let telemetry = rustok_telemetry::builder()
    ///     .with_providers(&tracer_provider, &meter_provider)
    ///     .init()?;
    /// rustok_telemetry::metrics::record_event_published("OrderPlaced", "acme");
    /// assert!(rustok_telemetry::prometheus_text().is_ok());
    /// meter_provider.shutdown()?;
    /// # drop(telemetry);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`init`](Self::init) fails if a processor, exporter, reader, view, sampler or resource detector is added to this
    /// builder, because it belongs to the providers.
    pub fn with_providers(
        mut self,
        tracer_provider: &SdkTracerProvider,
        meter_provider: &SdkMeterProvider,
    ) -> Self {
        self.existing = Some(Existing {
            tracer_provider: tracer_provider.clone(),
            meter_provider: meter_provider.clone(),
        });
        self.without_subscriber()
    }
}
