//! The propagators of the process.

use opentelemetry::{
    Context, global,
    propagation::{
        Extractor, Injector, TextMapCompositePropagator, TextMapPropagator,
        text_map_propagator::FieldIter,
    },
};

use super::{
    b3::B3, baggage::W3cBaggage, carried_tenant, jaeger::Jaeger, trace_context::TraceContext,
};
use crate::config::Propagator;

/// Sets the process' propagators. All of them write; of those that read a span, the last that finds one counts.
pub(crate) fn install(propagators: &[Propagator]) {
    let propagators = propagators.iter().map(|propagator| boxed(*propagator));
    let all = TextMapCompositePropagator::new(propagators.collect());
    global::set_text_map_propagator(KeepsTenant(all));
}

/// Sets the default propagators, unless telemetry has been started and has set its own.
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

fn boxed(propagator: Propagator) -> Box<dyn TextMapPropagator + Send + Sync> {
    match propagator {
        Propagator::TraceContext => Box::new(TraceContext),
        Propagator::Baggage => Box::new(W3cBaggage),
        Propagator::B3 => Box::new(B3::Single),
        Propagator::B3Multi => Box::new(B3::Multi),
        Propagator::Jaeger => Box::new(Jaeger),
    }
}

/// Lets a tenant in the baggage leave only when it is [meant to](carried_tenant), also for those who inject with
/// OpenTelemetry's own means.
#[derive(Debug)]
struct KeepsTenant(TextMapCompositePropagator);

impl TextMapPropagator for KeepsTenant {
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
