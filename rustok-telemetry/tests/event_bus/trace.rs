//! An event is handled in the trace of its publisher.

use std::sync::{Arc, Mutex};

use opentelemetry::trace::{SpanKind, Status, TracerProvider};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use rustok_telemetry::{
    event_bus::{EventMetadata, Handler, handle, publish},
    propagation::EventContext,
    tenant,
};
use tracing::Instrument;
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::{
    Failure,
    spans::watch_counted,
    support::{assert_samples, text, text_only},
};

#[derive(Debug, Clone, Default)]
struct Keep(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Keep {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().expect("not poisoned").extend(batch);
        Ok(())
    }
}

impl Keep {
    #[track_caller]
    fn span(&self, name: &str) -> SpanData {
        let spans = self.0.lock().expect("not poisoned");
        let found = spans.iter().find(|span| span.name == name);
        found
            .unwrap_or_else(|| panic!("{name} in {spans:?}"))
            .clone()
    }
}

#[tokio::test]
#[test_fork::fork]
async fn the_consumer_is_a_child_of_the_producer() {
    // For the propagator.
    let telemetry = text_only().init().expect("telemetry starts");
    let kept = Keep::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(kept.clone())
        .build();
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _default = tracing::subscriber::set_default(Registry::default().with(traces));

    let event = tracing::info_span!("request").in_scope(|| {
        publish("Created", |metadata| {
            Ok::<_, Failure>(metadata.with_id("e-1"))
        })
    });
    let event = event.expect("it was published");
    let inner = async {
        tracing::info_span!("inner").in_scope(|| ());
        Err::<(), _>(Failure::NotFound)
    };
    // In the span of a worker, which is nobody's parent.
    let handled = handle(&event, "index_handler", inner).instrument(tracing::info_span!("worker"));
    assert_eq!(handled.await, Err(Failure::NotFound));

    let (request, producer) = (kept.span("request"), kept.span("event.publish"));
    let (consumer, inner) = (kept.span("index_handler"), kept.span("inner"));
    assert_eq!(producer.parent_span_id, request.span_context.span_id());
    assert_eq!(consumer.parent_span_id, producer.span_context.span_id());
    assert!(consumer.parent_span_is_remote);
    assert_eq!(inner.parent_span_id, consumer.span_context.span_id());
    for span in [&producer, &consumer, &inner] {
        let trace = request.span_context.trace_id();
        assert_eq!(span.span_context.trace_id(), trace);
    }
    assert_eq!(producer.span_kind, SpanKind::Producer);
    assert_eq!(consumer.span_kind, SpanKind::Consumer);
    assert_eq!(consumer.status, Status::error("not_found"));
    let attribute = |name| {
        let found = consumer.attributes.iter().find(|a| a.key.as_str() == name);
        found.map(|attribute| attribute.value.to_string())
    };
    assert_eq!(attribute("error.type").as_deref(), Some("not_found"));
    assert_eq!(attribute("messaging.message.id").as_deref(), Some("e-1"));
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn handlers_and_their_spans_have_the_publishers_tenant() {
    let telemetry = text_only().init().expect("telemetry starts");
    let seen = watch_counted(&telemetry);
    let event = tracing::info_span!("request", tenant_id = "acme")
        .in_scope(|| publish("Created", Ok::<_, Failure>).expect("it was published"));
    assert_eq!(event.tenant().map(|tenant| tenant.as_str()), Some("acme"));
    let current = || Ok::<_, Failure>(tenant::label());
    let handler = Handler::new("index");
    assert_eq!(handler.handle_sync(&event, current), Ok("acme".into()));
    // It was recorded once, or the trace would have it twice.
    assert_eq!(seen.span("event.handle").tenants, 1);

    // From another process, of which the tenant is not believed, but said by the code.
    let entries: Vec<_> = event.context().entries().collect();
    let context = EventContext::from_entries(entries);
    let event = EventMetadata::from_parts("Created", event.published_at(), context);
    assert_eq!(
        handler
            .handle_sync(&event, current)
            .map(|tenant| tenant.to_string()),
        Ok("none".to_owned())
    );
    let event = event.with_tenant("globex");
    assert_eq!(handler.handle_sync(&event, current), Ok("globex".into()));
    assert_samples(
        &text(),
        "rustok_spans_created_total",
        &[
            (r#"{operation="event.handle",tenant_id="acme"}"#, "1"),
            (r#"{operation="event.handle",tenant_id="globex"}"#, "1"),
            (r#"{operation="event.handle",tenant_id="none"}"#, "1"),
            (r#"{operation="event.publish",tenant_id="acme"}"#, "1"),
            (r#"{operation="request",tenant_id="acme"}"#, "1"),
        ],
    );
    let _ = telemetry.shutdown();
}
