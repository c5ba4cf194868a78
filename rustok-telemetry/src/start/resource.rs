//! The resource, which all signals share.
//!
//! - `service.name`: `OTEL_SERVICE_NAME`, or else `service.name` in `OTEL_RESOURCE_ATTRIBUTES`, or else that of a
//!   resource detector, or else the builder's default, or else `unknown_service:` with the program's name.
//! - `service.version`: if it is set.
//! - `service.instance.id`: if it is set, or else a random UUID. Without one, two replicas would overwrite each other's
//!   series in the Collector.
//! - `telemetry.sdk.*`: the OpenTelemetry SDK; `telemetry.distro.*`: this crate.

use opentelemetry::KeyValue;
use opentelemetry_sdk::{Resource, resource::TelemetryResourceDetector};

use super::extensions::Detected;
use crate::config::TelemetryConfig;

pub(super) fn build(config: &TelemetryConfig, detected: &Detected) -> Resource {
    let mut builder = Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes([
            KeyValue::new("telemetry.distro.name", env!("CARGO_PKG_NAME")),
            KeyValue::new("telemetry.distro.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()),
        ])
        .with_detector(Box::new(detected.clone()))
        .with_attributes(
            config
                .resource_attributes
                .value
                .iter()
                .map(|(key, value)| KeyValue::new(key.clone(), value.clone())),
        );
    builder = builder.with_service_name(config.effective_service_name());
    builder.build()
}
