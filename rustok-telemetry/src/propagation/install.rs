//! The global propagator of the process.

use opentelemetry::{
    Context, global,
    propagation::{
        Extractor, Injector, TextMapCompositePropagator, TextMapPropagator,
        text_map_propagator::FieldIter,
    },
};

#[cfg(feature = "b3")]
use super::b3::B3;
#[cfg(feature = "jaeger")]
use super::jaeger::Jaeger;
use super::{baggage::W3cBaggage, carried_tenant, trace_context::TraceContext};
use crate::config::Propagator;

/// Sets the global propagator. All formats are injected; of the formats that extract a span, the last wins.
pub(crate) fn install(propagators: &[Propagator]) {
    let propagators = propagators
        .iter()
        .filter_map(|propagator| boxed(*propagator));
    let all = TextMapCompositePropagator::new(propagators.collect());
    global::set_text_map_propagator(StripTenant(all));
}

/// Returns whether a propagator is set. The global one that does nothing has no fields.
pub(crate) fn is_installed() -> bool {
    global::get_text_map_propagator(|propagator| propagator.fields().next().is_some())
}

/// Sets the default propagators, unless telemetry has started and set its own.
#[cfg(feature = "testing")]
pub(crate) fn install_for_tests() {
    use crate::lifecycle::{self, Stage};

    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        if lifecycle::stage() == Stage::NotStarted {
            install(&[Propagator::TraceContext, Propagator::Baggage]);
        }
    });
}

/// Returns the propagator, or `None` if it is disabled at compile time, which `config` has reported as an error.
fn boxed(propagator: Propagator) -> Option<Box<dyn TextMapPropagator + Send + Sync>> {
    Some(match propagator {
        Propagator::TraceContext => Box::new(TraceContext),
        Propagator::Baggage => Box::new(W3cBaggage),
        #[cfg(feature = "b3")]
        Propagator::B3 => Box::new(B3::Single),
        #[cfg(feature = "b3")]
        Propagator::B3Multi => Box::new(B3::Multi),
        #[cfg(feature = "jaeger")]
        Propagator::Jaeger => Box::new(Jaeger),
        #[cfg(not(all(feature = "b3", feature = "jaeger")))]
        _ => return None,
    })
}

/// Strips the caller's tenant from the baggage before injection, also when OpenTelemetry's own API injects. See
/// [`carried_tenant`].
#[derive(Debug)]
struct StripTenant(TextMapCompositePropagator);

impl TextMapPropagator for StripTenant {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        match carried_tenant::strip_tenant(context) {
            Some(context) => self.0.inject_context(&context, injector),
            None => self.0.inject_context(context, injector),
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        self.0.extract_with_context(context, extractor)
    }

    fn fields(&self) -> FieldIter<'_> {
        self.0.fields()
    }
}
