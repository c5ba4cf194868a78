//! Resource detectors of a service.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use opentelemetry::{InstrumentationScope, Key, KeyValue};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord},
    metrics::InMemoryMetricExporter,
    resource::ResourceDetector,
    trace::{SpanData, SpanExporter},
};
use rustok_telemetry::config::TelemetryConfig;

use crate::support::{samples, text};

struct Found(&'static [(&'static str, &'static str)]);

impl ResourceDetector for Found {
    fn detect(&self) -> Resource {
        let attributes = self
            .0
            .iter()
            .map(|(key, value)| KeyValue::new(*key, *value));
        Resource::builder_empty()
            .with_attributes(attributes)
            .build()
    }
}

#[derive(Debug, Clone, Default)]
struct ResourceOf(Arc<Mutex<Option<Resource>>>);

impl ResourceOf {
    fn set(&self, resource: &Resource) {
        *self.0.lock().expect("no panic") = Some(resource.clone());
    }
}

impl SpanExporter for ResourceOf {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.set(resource);
    }
}

impl LogProcessor for ResourceOf {
    fn emit(&self, _: &mut SdkLogRecord, _: &InstrumentationScope) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.set(resource);
    }
}

fn config(variables: &[(&str, &str)]) -> TelemetryConfig {
    let all = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    let all = all.iter().chain(variables).copied();
    TelemetryConfig::from_vars(all).expect("a valid configuration")
}

#[test_fork::test]
fn detected_attributes_are_in_all_signals() {
    let metrics = InMemoryMetricExporter::default();
    let (spans, logs) = (ResourceOf::default(), ResourceOf::default());
    let telemetry = rustok_telemetry::builder()
        .config(config(&[("OTEL_RESOURCE_ATTRIBUTES", "region=eu")]))
        .with_resource_detector(Found(&[("host.name", "a"), ("cloud.provider", "aws")]))
        .with_resource_detector(Found(&[
            ("host.name", "b"),
            ("region", "us"),
            ("service.name", "detected"),
        ]))
        .default_service_name("default")
        .with_metric_exporter(metrics.clone())
        .with_span_exporter(spans.clone())
        .with_log_processor(logs.clone())
        .init()
        .expect("telemetry starts");
    let text = text();
    let target = samples(&text, "target_info");
    let labels = target.keys().next().expect("one");
    let expected = [
        ("host.name", "b"),
        ("cloud.provider", "aws"),
        ("region", "eu"),
        ("service.name", "detected"),
    ];
    for (key, value) in expected {
        let label = format!("{}=\"{value}\"", key.replace('.', "_"));
        assert!(labels.contains(&label), "{labels}");
    }
    assert!(telemetry.force_flush(Duration::from_secs(20)).is_complete());
    let exports = metrics.get_finished_metrics().expect("exports");
    let [spans, logs] = [spans, logs].map(|it| it.0.lock().expect("no panic").clone());
    let resources = [
        exports[0].resource().clone(),
        spans.expect("set"),
        logs.expect("set"),
    ];
    for resource in &resources {
        assert_eq!(resource, &resources[0]);
        for (key, value) in expected {
            let found = resource.get(&Key::new(key)).expect("detected");
            assert_eq!(found.to_string(), value);
        }
    }
    drop(telemetry);
}

#[test_fork::test]
fn the_environment_names_the_service() {
    let telemetry = rustok_telemetry::builder()
        .config(config(&[("OTEL_SERVICE_NAME", "shop")]))
        .with_resource_detector(Found(&[("service.name", "detected")]))
        .init()
        .expect("telemetry starts");
    assert!(text().contains(r#"service_name="shop""#));
    drop(telemetry);
}
