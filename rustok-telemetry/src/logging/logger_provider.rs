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

/// Builds the provider. `add` adds processors, which get completed records. Those of the service may change a record,
/// so the exporters come after them.
pub(crate) fn build(
    config: &LogsConfig,
    resource: Resource,
    add: impl FnOnce(LoggerProviderBuilder) -> LoggerProviderBuilder,
) -> SdkLoggerProvider {
    let value_length = ValueLength::new(config.limits.value_length.value);
    let builder = SdkLoggerProvider::builder()
        .with_resource(resource)
        .with_log_processor(Completing { value_length });
    let mut builder = add(builder);
    if config.exporters.value.contains(&LogsExporter::Console) {
        builder = builder.with_log_processor(ConsoleLogRecords);
    }
    builder.build()
}
