//! The meter provider: limits for each metric, a reader that pushes and one that is pulled; and the instruments.

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
    instrument::Keeper,
    registered::{ALL, Installation, Viewed},
    text_reader::TextReader,
};
use crate::config::{View, ViewAggregation};

/// Name of the instrumentation scope that all metrics of the catalogue belong to.
pub(crate) const SCOPE: &str = "rustok_telemetry";

/// Builds the provider, and the reader that the text is read from. `push` adds the readers that send by themselves.
pub(crate) fn build(
    resource: Resource,
    push: impl FnOnce(MeterProviderBuilder) -> MeterProviderBuilder,
) -> (SdkMeterProvider, TextReader) {
    let pull = TextReader::default();
    let builder = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_view(streams());
    // Readers are shut down in this order: the text can be read until the last push has gone.
    let provider = push(builder).with_reader(pull.clone()).build();
    (provider, pull)
}

/// Makes every instrument of the catalogue. From now on records arrive.
pub(crate) fn install_instruments(provider: &SdkMeterProvider, counting: Counting, views: &[View]) {
    install_wake(provider);
    let meter = &meter(provider);
    let installation = Installation {
        meter,
        keeper: match counting {
            Counting::FromTheStart => Keeper::Ours,
            Counting::FromTheLastExport => Keeper::Sdk(meter),
        },
        view: &|declaration| match view(views, declaration.name) {
            Some(ViewAggregation::Drop) => Viewed::Dropped,
            Some(ViewAggregation::Boundaries(boundaries)) => Viewed::Boundaries(boundaries),
            None => Viewed::Declared,
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
