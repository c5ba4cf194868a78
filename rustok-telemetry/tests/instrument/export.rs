//! Spans as an exporter gets them.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use opentelemetry::{
    Value,
    trace::{Event, TracerProvider},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use tokio::runtime;
use tracing_subscriber::{Registry, layer::SubscriberExt};

#[derive(Debug, Clone, Default)]
struct Keep(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Keep {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().expect("not poisoned").extend(batch);
        Ok(())
    }
}

/// The spans that end while `run` does.
pub(crate) fn export(run: impl FnOnce()) -> Vec<SpanData> {
    let kept = Keep::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(kept.clone())
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::with_default(Registry::default().with(layer), run);
    let kept = kept.0.lock().expect("not poisoned");
    kept.clone()
}

/// Runs a future on this thread. The exporter above cannot be used within the executor of `futures`.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(future)
}

/// The value of an attribute, with its type.
pub(crate) fn value(span: &SpanData, name: &str) -> Option<Value> {
    let found = span.attributes.iter().find(|a| a.key.as_str() == name);
    found.map(|attribute| attribute.value.clone())
}

/// An attribute as text; empty if there is none.
pub(crate) fn attribute(span: &SpanData, name: &str) -> String {
    value(span, name).map_or_else(String::new, |value| value.to_string())
}

/// An attribute of an event as text; empty if there is none.
pub(crate) fn event_attribute(event: &Event, name: &str) -> String {
    let found = event.attributes.iter().find(|a| a.key.as_str() == name);
    found.map_or_else(String::new, |attribute| attribute.value.to_string())
}

/// Asserts the value of an attribute, and its type.
#[track_caller]
pub(crate) fn assert_value(span: &SpanData, name: &str, expected: impl Into<Value> + Debug) {
    assert_eq!(value(span, name), Some(expected.into()), "{name}");
}
