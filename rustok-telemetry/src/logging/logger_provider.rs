//! The logger provider: completes records, and bounds and counts the queue of the batch processor.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{
        BatchConfigBuilder, BatchLogProcessor, LogExporter, LogProcessor, LoggerProviderBuilder,
        SdkLogRecord, SdkLoggerProvider,
    },
};

use super::records::Completing;
use crate::{
    attributes::value_length::ValueLength,
    config::{LogsConfig, LogsExporter},
    delivery::{Admission, DELIVERY},
    stdout::ConsoleLogRecords,
};

/// Builds the provider. Without `exporter` no records are exported by OTLP. `add` adds processors that get completed
/// records before the exporter.
pub(crate) fn build<E>(
    config: &LogsConfig,
    resource: Resource,
    exporter: Option<E>,
    add: impl FnOnce(LoggerProviderBuilder) -> LoggerProviderBuilder,
) -> SdkLoggerProvider
where
    E: LogExporter + 'static,
{
    let value_length = ValueLength::new(config.limits.value_length.value);
    let builder = SdkLoggerProvider::builder()
        .with_resource(resource)
        .with_log_processor(Completing { value_length });
    let mut builder = add(builder);
    if config.exporters.value.contains(&LogsExporter::Console) {
        builder = builder.with_log_processor(ConsoleLogRecords);
    }
    if let Some(exporter) = exporter {
        builder = builder.with_log_processor(bounded(config, exporter));
    }
    builder.build()
}

fn bounded<E>(config: &LogsConfig, exporter: E) -> BoundedProcessor
where
    E: LogExporter + 'static,
{
    let batch = &config.batch;
    let capacity = batch.max_queue_size.value as usize;
    DELIVERY.log_records.set_capacity(capacity);
    let settings = BatchConfigBuilder::default()
        .with_max_queue_size(capacity)
        .with_max_export_batch_size(batch.max_export_batch_size.value as usize)
        .with_scheduled_delay(batch.schedule_delay.value)
        .build();
    let processor = BatchLogProcessor::builder(exporter)
        .with_batch_config(settings)
        .build();
    BoundedProcessor {
        processor,
        closed: AtomicBool::new(false),
    }
}

/// Counts each record before it enters the queue, and drops it when the queue is full or closed.
///
/// The SDK's processor drops records of a full queue silently, so it never gets more than its queue holds.
#[derive(Debug)]
struct BoundedProcessor {
    processor: BatchLogProcessor,
    closed: AtomicBool,
}

impl LogProcessor for BoundedProcessor {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        if self.closed.load(Ordering::Relaxed) {
            DELIVERY.late_log_records.fetch_add(1, Ordering::Relaxed);
        } else if DELIVERY.log_records.enter_queue() == Admission::Queued {
            self.processor.emit(record, scope);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.closed.store(true, Ordering::Relaxed);
        self.processor.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}
