//! What arrives in a trace.

use std::{
    panic::catch_unwind,
    sync::{Arc, Mutex},
};

use futures::FutureExt;
use opentelemetry::trace::{Status, TracerProvider};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use rustok_telemetry::instrument;
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::{Failure, Result};

#[derive(Debug, Clone, Default)]
struct Keep(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Keep {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().expect("not poisoned").extend(batch);
        Ok(())
    }
}

#[instrument(record(sku))]
fn load(sku: u64) -> Result<u64> {
    match sku {
        0 => Err(Failure::NotFound),
        1 => panic!("on purpose"),
        _ => Ok(sku),
    }
}

#[instrument]
async fn wait() {
    std::future::pending().await
}

#[test]
fn the_status_is_that_of_the_outcome() {
    let kept = Keep::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(kept.clone())
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::with_default(Registry::default().with(layer), || {
        assert!(load(2).is_ok());
        assert!(load(0).is_err());
        assert!(catch_unwind(|| load(1)).is_err());
        assert!(wait().now_or_never().is_none());
    });
    let kept = kept.0.lock().expect("not poisoned");
    let seen: Vec<_> = kept
        .iter()
        .map(|span| {
            let attribute = |name| {
                let found = span.attributes.iter().find(|a| a.key.as_str() == name);
                found.map(|attribute| attribute.value.to_string())
            };
            let error_type = attribute("error.type").unwrap_or_default();
            let outcome = attribute("rustok.outcome").unwrap_or_default();
            (&*span.name, span.status.clone(), error_type, outcome)
        })
        .collect();
    let error = || Status::error("");
    let expected = [
        ("load", Status::Unset, String::new(), String::new()),
        ("load", error(), "not_found".into(), String::new()),
        ("load", error(), "panic".into(), String::new()),
        ("wait", Status::Unset, String::new(), "cancelled".into()),
    ];
    assert_eq!(seen, expected);
}
