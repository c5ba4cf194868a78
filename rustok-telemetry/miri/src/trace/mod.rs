//! The layers and the subscriber that forward `downcast_raw`.

#[path = "../../../src/trace/forward.rs"]
mod forward;
#[path = "../../../src/trace/sequential_close.rs"]
mod sequential_close;
#[path = "../../../src/trace/unfiltered_lifecycle.rs"]
mod unfiltered_lifecycle;

/// Stands for the layer that `unfiltered_lifecycle` wraps.
#[derive(Debug)]
pub(crate) struct SpanMetricsLayer(u8);

impl SpanMetricsLayer {
    pub(crate) fn new() -> Self {
        Self(0)
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for SpanMetricsLayer {}
