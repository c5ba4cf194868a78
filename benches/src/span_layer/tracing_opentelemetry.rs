//! tracing-opentelemetry with its defaults, in front of the SDK's batch processor.

use opentelemetry::trace::TracerProvider;
use tracing_subscriber::layer::SubscriberExt;

use super::{opentelemetry::Provider, tracing_spans};
use crate::isolated::Work;

pub(crate) fn spans(sampled: bool) -> Work {
    let provider = Provider::new(sampled);
    let layer = tracing_opentelemetry::layer().with_tracer(provider.provider.tracer("benchmark"));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    provider.work(tracing_spans)
}
