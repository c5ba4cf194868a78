//! The logger provider, whose first processor completes records.

use opentelemetry_sdk::{
    Resource,
    logs::{LoggerProviderBuilder, SdkLoggerProvider},
};

use super::records::Completing;
use crate::{
    attributes::value_length::ValueLength,
    config::{LogsConfig, LogsExporter},
    stdout::ConsoleLogRecords,
};

/// Builds the provider. `add` adds processors, which get completed records.
pub(crate) fn build(
    config: &LogsConfig,
    resource: Resource,
    add: impl FnOnce(LoggerProviderBuilder) -> LoggerProviderBuilder,
) -> SdkLoggerProvider {
    let value_length = ValueLength::new(config.limits.value_length.value);
    let mut builder = SdkLoggerProvider::builder()
        .with_resource(resource)
        .with_log_processor(Completing { value_length });
    if config.exporters.value.contains(&LogsExporter::Console) {
        builder = builder.with_log_processor(ConsoleLogRecords);
    }
    add(builder).build()
}
