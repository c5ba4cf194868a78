//! Who sends the telemetry: the resource that all signals share.
//!
//! - `service.name`: `OTEL_SERVICE_NAME`, else `service.name` in `OTEL_RESOURCE_ATTRIBUTES`, else the builder's default,
//!   else `unknown_service:` and the program's name.
//! - `service.version`: as set, if it is.
//! - `service.instance.id`: as set, else a random UUID. Without one, the Collector would let two replicas overwrite
//!   each other's series.
//! - `telemetry.sdk.*`: the OpenTelemetry SDK underneath; `telemetry.distro.*`: this crate.

use opentelemetry::KeyValue;
use opentelemetry_sdk::{Resource, resource::TelemetryResourceDetector};

use crate::config::TelemetryConfig;

pub(crate) fn build(config: &TelemetryConfig) -> Resource {
    let mut builder = Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes([
            KeyValue::new("telemetry.distro.name", env!("CARGO_PKG_NAME")),
            KeyValue::new("telemetry.distro.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()),
        ])
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
