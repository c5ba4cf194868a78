//! The meter provider, with a cardinality limit for each metric, and the installation of the instruments.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use opentelemetry::{
    InstrumentationScope,
    metrics::{Meter, MeterProvider},
};
use opentelemetry_sdk::{
    Resource,
    metrics::{Instrument, MeterProviderBuilder, SdkMeterProvider, Stream, Temporality},
};

use super::{
    Kind, catalogue,
    collection::run_hooks,
    registered::{ALL, InstallContext, ViewOutcome},
};
use crate::config::{View, ViewAggregation};

/// Name of the instrumentation scope of all metrics in the catalogue.
pub(crate) const SCOPE: &str = "rustok_telemetry";

/// The SDK's limit of label sets, which metrics of other meters have.
pub(crate) const SERIES_OF_OTHER_METERS: usize = 2000;

/// A view of the service, on instruments of the SDK.
pub(crate) type SdkView = Arc<dyn Fn(&Instrument) -> Option<Stream> + Send + Sync>;

/// Builds the provider. The readers that `add_readers` adds are shut down in the order of adding.
pub(crate) fn build(
    resource: Resource,
    views: &[SdkView],
    add_readers: impl FnOnce(MeterProviderBuilder) -> MeterProviderBuilder,
) -> SdkMeterProvider {
    let mut builder = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_view(streams(views.to_vec()));
    for view in views {
        let view = Arc::clone(view);
        builder = builder.with_view(move |instrument| view(instrument));
    }
    add_readers(builder).build()
}

/// How the metrics of the catalogue are collected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Collection {
    /// Temporality of the OTLP exports.
    pub(crate) temporality: Temporality,
    /// Whether readers or views of the service are in the provider. The SDK then stores every metric, and runs the
    /// hooks.
    pub(crate) extended: bool,
}

/// Creates every instrument of the catalogue, after which values are recorded.
pub(crate) fn install_instruments(
    provider: &SdkMeterProvider,
    collection: Collection,
    views: &[View],
) {
    let meter = &provider.meter_with_scope(scope());
    if collection.extended {
        install_hooks(meter);
    }
    let is_cumulative = matches!(collection.temporality, Temporality::Cumulative);
    let context = InstallContext {
        meter,
        is_in_sdk: &|kind| match kind {
            Kind::Counter | Kind::Histogram => collection.extended || !is_cumulative,
            _ => collection.extended,
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

/// Installs a callback that runs the hooks, for readers that do not run them. It is the first, so what the hooks record
/// is in the same collection. Its instrument has no values, so no exporter gets it.
fn install_hooks(meter: &Meter) {
    let hooks = meter.u64_observable_gauge("hooks");
    // The meter keeps the callback; the handle does nothing.
    let _ = hooks.with_callback(|_| run_hooks()).build();
}

/// Returns the instrumentation scope of the catalogue.
pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope::builder(SCOPE)
        .with_version(env!("CARGO_PKG_VERSION"))
        .build()
}

/// Returns the SDK view that gives each metric its own cardinality limit, for which the SDK allocates at once. It
/// leaves a metric to the `views` of the service: the SDK creates a stream for each view that matches.
fn streams(views: Vec<SdkView>) -> impl Fn(&Instrument) -> Option<Stream> + Send + Sync + 'static {
    // With the first instrument, because the names are in effect then.
    let limits: LazyLock<HashMap<_, _>> = LazyLock::new(|| {
        let all = catalogue().into_iter();
        all.map(|metric| (metric.name, metric.series_limit()))
            .collect()
    });
    move |instrument| {
        let limit = limits.get(instrument.name())?;
        if views.iter().any(|view| view(instrument).is_some()) {
            return None;
        }
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
