//! The meter provider, with a cardinality limit for each metric, and the installation of the instruments.

use std::collections::HashMap;

use opentelemetry::{InstrumentationScope, metrics::MeterProvider};
use opentelemetry_sdk::{
    Resource,
    metrics::{Instrument, MeterProviderBuilder, SdkMeterProvider, Stream, Temporality},
};

use super::{
    catalogue,
    collection::run_hooks,
    instrument::Storage,
    registered::{ALL, InstallContext, ViewOutcome},
};
use crate::config::{View, ViewAggregation};

/// Name of the instrumentation scope of all metrics in the catalogue.
pub(crate) const SCOPE: &str = "rustok_telemetry";

/// Builds the provider. The readers that `add_readers` adds are shut down in the order of adding.
pub(crate) fn build(
    resource: Resource,
    add_readers: impl FnOnce(MeterProviderBuilder) -> MeterProviderBuilder,
) -> SdkMeterProvider {
    let builder = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_view(streams());
    add_readers(builder).build()
}

/// Creates every instrument of the catalogue, after which values are recorded. `temporality` is that of the exports.
pub(crate) fn install_instruments(
    provider: &SdkMeterProvider,
    temporality: Temporality,
    views: &[View],
) {
    install_wake(provider);
    let meter = &provider.meter_with_scope(scope());
    let context = InstallContext {
        meter,
        storage: match temporality {
            Temporality::Cumulative => Storage::Native,
            _ => Storage::Sdk(meter),
        },
        view: &|declaration| match view(views, declaration.name) {
            Some(ViewAggregation::Drop) => ViewOutcome::Dropped,
            Some(ViewAggregation::Boundaries(boundaries)) => ViewOutcome::Boundaries(boundaries),
            None => ViewOutcome::Declared,
        },
    };
    for metric in ALL {
        metric.install(&context);
    }
}

/// Installs a hidden instrument whose callback runs the hooks. The SDK reads it first, so what the hooks record is in
/// the same collection. Its value makes the periodic reader export even if no other SDK instrument has one.
fn install_wake(provider: &SdkMeterProvider) {
    let meter = provider.meter(WAKE_SCOPE);
    let wake = meter
        .u64_observable_gauge("wake")
        .with_callback(|observer| {
            run_hooks();
            observer.observe(1, &[]);
        });
    // The meter keeps the callback; the handle does nothing.
    let _ = wake.build();
}

/// Instrumentation scope of the hidden instrument, which every exporter skips.
pub(crate) const WAKE_SCOPE: &str = "rustok_telemetry.wake";

/// Returns the instrumentation scope of the catalogue.
pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope::builder(SCOPE)
        .with_version(env!("CARGO_PKG_VERSION"))
        .build()
}

/// Returns the SDK view that gives each metric its own cardinality limit, for which the SDK allocates at once.
fn streams() -> impl Fn(&Instrument) -> Option<Stream> + Send + Sync + 'static {
    let limits: HashMap<_, _> = catalogue()
        .into_iter()
        .map(|metric| (metric.name, metric.series_limit()))
        .collect();
    move |instrument| {
        let limit = limits.get(instrument.name())?;
        // One more than the series table ever holds, so that the SDK never overflows.
        let stream = Stream::builder().with_cardinality_limit(limit + 1);
        stream.build().ok()
    }
}

/// Returns the aggregation of the first view that matches a metric.
fn view<'views>(views: &'views [View], name: &str) -> Option<&'views ViewAggregation> {
    let view = views.iter().find(|view| view.matches(name))?;
    Some(&view.aggregation)
}
