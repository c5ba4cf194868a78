//! Spans as an exporter gets them.

use std::sync::{Arc, Mutex};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use rustok_telemetry::Telemetry;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

/// Exports the spans of this thread to memory. The propagators are those of telemetry, which sees no spans.
pub(crate) struct Exporting {
    spans: Spans,
    _default: DefaultGuard,
    _telemetry: Telemetry,
}

impl Exporting {
    pub(crate) fn start() -> Self {
        let telemetry = super::text_only()
            .without_subscriber()
            .init()
            .expect("telemetry starts");
        let spans = Spans::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(spans.clone())
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_location(false)
            .with_tracer(provider.tracer("test"));
        let subscriber = tracing_subscriber::registry().with(layer);
        Self {
            spans,
            _default: tracing::subscriber::set_default(subscriber),
            _telemetry: telemetry,
        }
    }

    pub(crate) fn all(&self) -> Vec<SpanData> {
        self.spans.0.lock().expect("no panic").clone()
    }

    /// The only span of this name.
    #[track_caller]
    pub(crate) fn span(&self, name: &str) -> SpanData {
        let mut spans = self.all();
        spans.retain(|span| span.name == name);
        assert_eq!(spans.len(), 1, "{name}: {:#?}", self.all());
        spans.remove(0)
    }
}

/// An attribute's value as text; empty if there is none.
pub(crate) fn attribute(span: &SpanData, name: &str) -> String {
    let attribute = span
        .attributes
        .iter()
        .find(|attribute| attribute.key.as_str() == name);
    attribute
        .map(|attribute| attribute.value.to_string())
        .unwrap_or_default()
}

#[derive(Debug, Clone, Default)]
struct Spans(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Spans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().expect("no panic").extend(batch);
        Ok(())
    }
}
