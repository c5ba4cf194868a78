//! Metrics of other libraries: the recorder of the `metrics` crate, and registries of the `prometheus` crate.

use std::fmt;

use opentelemetry_sdk::metrics::SdkMeterProvider;

#[cfg(any(feature = "metrics-facade", feature = "prometheus-bridge"))]
use crate::Builder;
#[cfg(feature = "prometheus-bridge")]
use crate::metrics::collection::registered_at;
#[cfg(feature = "metrics-facade")]
use crate::metrics::facade;
use crate::{
    InitError,
    metrics::bridge::{self, Registry},
};

/// What a service adds to the metrics.
#[derive(Default)]
pub(super) struct OtherLibraries {
    records_facade: bool,
    registries: Vec<Registry>,
}

/// Metrics of other libraries: in the Prometheus text, in the exports and on the console, beside those of the catalogue.
#[cfg(any(feature = "metrics-facade", feature = "prometheus-bridge"))]
impl Builder {
    /// Records the metrics of the `metrics` crate (0.24): [`init`](Self::init) installs its global recorder.
    ///
    /// Counters, gauges and histograms are OpenTelemetry instruments in the scope `metrics`, and keep their names. What
    /// is recorded before `init` is dropped by the `metrics` crate, without a count.
    ///
    /// - **Units and help** come from `describe_counter!` and its like. The unit has to be described before the metric
    ///   is first used.
    /// - **Boundaries** of a histogram are [`REQUEST_SECONDS`](crate::metrics::REQUEST_SECONDS) if its unit is seconds
    ///   or, without a unit, its name ends in `seconds` or `duration`; [`SIZE_BYTES`](crate::metrics::SIZE_BYTES) for
    ///   bytes; else those of OpenTelemetry's SDK, 0 to 10,000. A [view](Self::with_view) can set others.
    /// - **Label sets**: a metric has at most 2000. Further ones share the series with the label
    ///   `otel_metric_overflow="true"`.
    /// - A value of a histogram that is NaN or infinite is dropped and counted by
    ///   `rustok_telemetry_records_lost_total`.
    ///
    /// Within a callback of [`before_collection`](crate::metrics::before_collection), use only metrics that exist
    /// already if the service has added a reader or a view: OpenTelemetry's SDK cannot create an instrument while it
    /// collects.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), rustok_telemetry::InitError> {
    /// let telemetry = rustok_telemetry::builder().with_metrics_facade().init()?;
    /// metrics::counter!("orders_total", "payment" => "card").increment(1);
    /// # drop(telemetry);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `init` fails with [`RecorderAlreadySet`](InitError::RecorderAlreadySet) if another recorder is installed.
    #[cfg(feature = "metrics-facade")]
    pub fn with_metrics_facade(mut self) -> Self {
        self.other_libraries.records_facade = true;
        self
    }

    /// Adds the metrics of a registry of the `prometheus` crate (0.14), such as `prometheus::default_registry()`. May be
    /// called for several registries.
    ///
    /// The registry is gathered at each collection, on a thread of its own. Its collectors must not block.
    ///
    /// - **Kinds**: counters, gauges and histograms stay what they are. A summary becomes a gauge with the label
    ///   `quantile` and the counters `_sum` and `_count`. Untyped families are left out, because the `prometheus` crate
    ///   returns no value of them.
    /// - **OTLP**: the scope is `prometheus`, and sums are always cumulative, because the registry's are.
    /// - **Label sets**: a family has at most 2000. Further ones are dropped and counted by
    ///   `rustok_telemetry_observations_dropped_total`.
    /// - **Panics**: if a collector panics, that collection lacks its registry, and
    ///   `rustok_telemetry_observation_panics_total` counts it.
    /// - **Collectors that hang**: a collection waits for the registries 500 ms. One that is not gathered by then is
    ///   logged, listed in the [health](crate::health()), counted by `rustok_telemetry_observation_timeouts_total`, and
    ///   left out until its collector returns. The `prometheus` crate locks the registry meanwhile, so `register` blocks.
    /// - **Not included**: readers of OpenTelemetry's SDK that the service adds, because the SDK accepts metrics of
    ///   instruments only.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let orders = prometheus::IntCounter::new("orders_total", "Orders placed.")?;
    /// prometheus::default_registry().register(Box::new(orders.clone()))?;
    /// let telemetry = rustok_telemetry::builder()
    ///     .with_prometheus_registry(prometheus::default_registry().clone())
    ///     .init()?;
    /// orders.inc();
    /// # drop(telemetry);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "prometheus-bridge")]
    #[track_caller]
    pub fn with_prometheus_registry(mut self, registry: ::prometheus::Registry) -> Self {
        let name = registered_at("with_prometheus_registry");
        let registry = bridge::prometheus::registry(name, registry);
        self.other_libraries.registries.push(registry);
        self
    }
}

impl OtherLibraries {
    /// Does what can fail.
    pub(super) fn prepare(&self) -> Result<(), InitError> {
        #[cfg(feature = "metrics-facade")]
        if self.records_facade {
            facade::install()?;
        }
        Ok(())
    }

    pub(super) fn start(self, provider: &SdkMeterProvider) {
        #[cfg(feature = "metrics-facade")]
        if self.records_facade {
            facade::start(provider);
        }
        let _ = provider;
        bridge::install(self.registries);
    }
}

impl fmt::Debug for OtherLibraries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherLibraries")
            .field("records_facade", &self.records_facade)
            .field("registries", &self.registries.len())
            .finish()
    }
}
