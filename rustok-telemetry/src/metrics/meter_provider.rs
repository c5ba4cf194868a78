//! The meter provider with a limit for each metric, and the installation of the instruments.

use std::collections::HashMap;

use opentelemetry::{
    InstrumentationScope,
    metrics::{Meter, MeterProvider},
};
use opentelemetry_sdk::{
    Resource,
    metrics::{Instrument, MeterProviderBuilder, SdkMeterProvider, Stream},
};

use super::{
    catalogue,
    collection::run_hooks,
    instrument::Storage,
    registered::{ALL, InstallContext, ViewOutcome},
};
use crate::config::{View, ViewAggregation};

/// Name of the instrumentation scope that all metrics of the catalogue belong to.
pub(crate) const SCOPE: &str = "rustok_telemetry";

/// Builds the provider. `add_readers` adds its readers, which are shut down in their order.
pub(crate) fn build(
    resource: Resource,
    add_readers: impl FnOnce(MeterProviderBuilder) -> MeterProviderBuilder,
) -> SdkMeterProvider {
    let builder = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_view(streams());
    add_readers(builder).build()
}

/// Makes every instrument of the catalogue. From now on records arrive.
pub(crate) fn install_instruments(provider: &SdkMeterProvider, counting: Counting, views: &[View]) {
    install_wake(provider);
    let meter = &meter(provider);
    let installation = InstallContext {
        meter,
        storage: match counting {
            Counting::FromTheStart => Storage::Native,
            Counting::FromTheLastExport => Storage::Sdk(meter),
        },
        view: &|declaration| match view(views, declaration.name) {
            Some(ViewAggregation::Drop) => ViewOutcome::Dropped,
            Some(ViewAggregation::Boundaries(boundaries)) => ViewOutcome::Boundaries(boundaries),
            None => ViewOutcome::Declared,
        },
    };
    for metric in ALL {
        metric.install(&installation);
    }
}

/// What an export of a counter or a histogram says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// All that was recorded.
    FromTheStart,
    /// What was recorded after the export before.
    FromTheLastExport,
}

/// An instrument that shows nothing. The SDK reads it first, so what the hooks record is in the same collection; and the
/// SDK's periodic reader exports only where it has some value of its own.
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

/// Scope of an instrument that is not for anybody's eyes: whoever shows what the SDK has collected leaves it out.
pub(crate) const WAKE_SCOPE: &str = "rustok_telemetry.wake";

/// The meter that all instruments of the catalogue are made with.
pub(crate) fn meter(provider: &SdkMeterProvider) -> Meter {
    provider.meter_with_scope(scope())
}

/// The scope of the catalogue.
pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope::builder(SCOPE)
        .with_version(env!("CARGO_PKG_VERSION"))
        .build()
}

/// Gives each metric its own limit of label sets, for which the SDK allocates at once.
fn streams() -> impl Fn(&Instrument) -> Option<Stream> + Send + Sync + 'static {
    let limits: HashMap<_, _> = catalogue()
        .into_iter()
        .map(|metric| (metric.name, metric.series_limit()))
        .collect();
    move |instrument| {
        let limit = limits.get(instrument.name())?;
        // One more than the series table ever holds, so that the SDK's own overflow is not reached.
        let stream = Stream::builder().with_cardinality_limit(limit + 1);
        stream.build().ok()
    }
}

/// What the first view that matches says of a metric.
fn view<'views>(views: &'views [View], name: &str) -> Option<&'views ViewAggregation> {
    let view = views.iter().find(|view| view.matches(name))?;
    Some(&view.aggregation)
}
