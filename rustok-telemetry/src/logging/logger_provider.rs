//! The logger provider: records are completed, and accounted in front of the batch processor.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{
        BatchConfigBuilder, BatchLogProcessor, LogExporter, LogProcessor, SdkLogRecord,
        SdkLoggerProvider,
    },
};

use super::records::Completing;
use crate::{
    config::LogsConfig,
    delivery::{DELIVERY, Verdict},
};

/// Builds the provider, which sends with `exporter`.
pub(crate) fn build<E>(config: &LogsConfig, resource: Resource, exporter: E) -> SdkLoggerProvider
where
    E: LogExporter + 'static,
{
    let batch = &config.batch;
    let capacity = *batch.max_queue_size as usize;
    DELIVERY.log_records.set_capacity(capacity);
    let settings = BatchConfigBuilder::default()
        .with_max_queue_size(capacity)
        .with_max_export_batch_size(*batch.max_export_batch_size as usize)
        .with_scheduled_delay(*batch.schedule_delay)
        .build();
    let processor = BatchLogProcessor::builder(exporter)
        .with_batch_config(settings)
        .build();
    SdkLoggerProvider::builder()
        .with_resource(resource)
        .with_log_processor(Completing)
        .with_log_processor(Accounted {
            processor,
            closed: AtomicBool::new(false),
        })
        .build()
}

/// Keeps account of every record before it enters the queue, and drops it here when the queue is full or closed.
///
/// The SDK's processor drops records of a full queue and reports success at shutdown, so it is never given more than
/// it can hold.
#[derive(Debug)]
struct Accounted {
    processor: BatchLogProcessor,
    closed: AtomicBool,
}

impl LogProcessor for Accounted {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        if self.closed.load(Ordering::Relaxed) {
            DELIVERY.late_log_records.fetch_add(1, Ordering::Relaxed);
        } else if DELIVERY.log_records.enter_queue() == Verdict::Queued {
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
