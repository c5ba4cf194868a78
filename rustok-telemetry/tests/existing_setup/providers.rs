//! Providers of the service are used and left alone.

use std::time::Duration;

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::{
    metrics::{InMemoryMetricExporter, SdkMeterProvider},
    trace::{InMemorySpanExporter, Sampler, SdkTracerProvider},
};
use rustok_telemetry::{Builder, TextError, instrument, metrics, propagation};
use tracing_subscriber::layer::SubscriberExt;

use crate::{
    samples::{self, assert_same},
    support::{assert_samples, exported::attribute, text},
};

struct Service {
    spans: InMemorySpanExporter,
    metrics: InMemoryMetricExporter,
    tracer_provider: SdkTracerProvider,
    meter_provider: SdkMeterProvider,
}

impl Service {
    fn new() -> Self {
        let spans = InMemorySpanExporter::default();
        let metrics = InMemoryMetricExporter::default();
        Self {
            tracer_provider: SdkTracerProvider::builder()
                .with_batch_exporter(spans.clone())
                .build(),
            meter_provider: SdkMeterProvider::builder()
                .with_periodic_exporter(metrics.clone())
                .with_reader(rustok_telemetry::text_reader())
                .build(),
            spans,
            metrics,
        }
    }

    fn builder(&self) -> Builder {
        rustok_telemetry::builder().with_providers(&self.tracer_provider, &self.meter_provider)
    }
}

#[instrument(tenant_id = tenant, record(quantity))]
fn order(tenant: &str, quantity: u32) -> Result<(), &'static str> {
    metrics::record_event_published("OrderPlaced", tenant);
    match quantity {
        0 => Err("nothing ordered"),
        _ => Ok(()),
    }
}

#[test_fork::test]
fn the_layer_sends_spans_to_the_provider() {
    let service = Service::new();
    let telemetry = service.builder().init().expect("telemetry starts");
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    let _default = tracing::subscriber::set_default(subscriber);
    let _ = order("acme", 0);
    let span = tracing::info_span!("replaced", city = "Bern");
    span.in_scope(|| span.record("city", "Zürich"));
    drop(span);
    let report = telemetry.force_flush(Duration::from_secs(20));
    assert!(report.is_complete(), "{report}");
    let spans = service.spans.get_finished_spans().expect("spans");
    assert_eq!(spans.len(), 2);
    assert_eq!(spans[0].name, "order");
    assert_eq!(attribute(&spans[0], "quantity"), "0");
    assert_eq!(attribute(&spans[0], "tenant_id"), "acme");
    let cities = spans[1].attributes.iter();
    let mut cities = cities.filter(|attribute| attribute.key.as_str() == "city");
    let last = cities.next_back().map(|city| city.value.to_string());
    assert_eq!(last.as_deref(), Some("Zürich"), "as the SDK has it");
    let errors = [(r#"{error_type="str",operation="order"}"#, "1")];
    assert_samples(&text(), "rustok_spans_with_errors_total", &errors);
}

#[test_fork::test]
fn a_layer_of_the_service_gains_span_metrics() {
    let service = Service::new();
    let telemetry = service.builder().init().expect("telemetry starts");
    let subscriber = tracing_subscriber::registry().with(telemetry.span_metrics_layer());
    let _default = tracing::subscriber::set_default(subscriber);
    let _ = order("acme", 1);
    let created = [(r#"{operation="order",tenant_id="acme"}"#, "1")];
    assert_samples(&text(), "rustok_spans_created_total", &created);
}

#[test_fork::test]
fn the_providers_outlive_telemetry() {
    let service = Service::new();
    global::set_meter_provider(service.meter_provider.clone());
    let telemetry = service.builder().init().expect("telemetry starts");
    let hook = metrics::before_collection(|| metrics::update_queue_depth("in_memory", 7));
    metrics::record_event_published("OrderPlaced", "acme");
    #[expect(clippy::disallowed_methods, reason = "as the service has it")]
    let foreign = global::meter("service").u64_counter("foreign").build();
    foreign.add(1, &[KeyValue::new("kind", "a")]);
    let last = || {
        service.meter_provider.force_flush().expect("no error");
        let exports = service.metrics.get_finished_metrics().expect("exports");
        samples::of_collection(exports.last().expect("an export"))
    };
    // From the third collection on, the metric that counts dropped observations has all of its series.
    last();
    last();
    assert_same(&last(), &samples::of_text(&text()));
    let depth = [(r#"{transport="in_memory"}"#, "7")];
    assert_samples(&text(), "rustok_event_bus_queue_depth", &depth);
    drop(hook);
    assert!(telemetry.shutdown().is_complete());
    metrics::record_event_published("OrderPlaced", "acme");
    foreign.add(1, &[KeyValue::new("kind", "a")]);
    let last = last();
    let value = |name: &str| {
        let mut found = last.iter().filter(|((found, _), _)| found == name);
        found.next().map(|(_, value)| *value)
    };
    assert_eq!(value("foreign"), Some(2.0));
    assert_eq!(value("rustok_event_bus_published_total"), Some(1.0));
    assert_eq!(rustok_telemetry::lost_records().after_shutdown, 1);
}

#[test_fork::test]
fn without_the_reader_there_is_no_text() {
    let exporter = InMemoryMetricExporter::default();
    let meter_provider = SdkMeterProvider::builder()
        .with_periodic_exporter(exporter.clone())
        .build();
    let telemetry = rustok_telemetry::builder()
        .with_providers(&SdkTracerProvider::default(), &meter_provider)
        .init()
        .expect("telemetry starts");
    assert_eq!(
        rustok_telemetry::prometheus_text(),
        Err(TextError::NoReader)
    );
    metrics::record_event_published("OrderPlaced", "acme");
    meter_provider.shutdown().expect("no error");
    let exports = exporter.get_finished_metrics().expect("exports");
    let samples = samples::of_collection(&exports[0]);
    let mut names = samples.keys().map(|(name, _)| name);
    assert!(names.any(|name| name == "rustok_event_bus_published_total"));
    drop(telemetry);
}

#[test_fork::test]
fn components_belong_to_the_providers() {
    let service = Service::new();
    let error = service
        .builder()
        .with_sampler(Sampler::AlwaysOff)
        .init()
        .expect_err("no place for a sampler");
    let message = format!("{error:?}");
    assert!(message.contains("samplers"), "{message}");
    let _telemetry = service.builder().init().expect("nothing was installed");
}

#[derive(Debug)]
struct OfService;

impl TextMapPropagator for OfService {
    fn inject_context(&self, _: &Context, injector: &mut dyn Injector) {
        injector.set("x-of-service", "1".to_owned());
    }

    fn extract_with_context(&self, context: &Context, _: &dyn Extractor) -> Context {
        context.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: std::sync::LazyLock<[String; 1]> =
            std::sync::LazyLock::new(|| ["x-of-service".to_owned()]);
        FieldIter::new(FIELDS.as_ref())
    }
}

#[test_fork::test]
fn the_propagator_of_the_service_stays() {
    global::set_text_map_propagator(OfService);
    let _telemetry = Service::new().builder().init().expect("telemetry starts");
    let mut headers = http::HeaderMap::new();
    propagation::inject_headers(&mut headers);
    assert_eq!(
        headers.get("x-of-service").map(|value| value.as_bytes()),
        Some(&b"1"[..])
    );
}

#[test_fork::test]
fn propagators_are_set_if_there_are_none() {
    let _telemetry = Service::new().builder().init().expect("telemetry starts");
    let mut headers = http::HeaderMap::new();
    headers.insert(
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            .parse()
            .expect("a value"),
    );
    let context = propagation::extract_headers(&headers);
    let mut sent = http::HeaderMap::new();
    let _attached = context.attach();
    propagation::inject_headers(&mut sent);
    assert_eq!(sent, headers);
}
