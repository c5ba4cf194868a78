//! Limits of log records. The SDK knows none, and takes no attribute back, so they are kept while a record is made.

use std::{borrow::Cow, time::SystemTime};

use opentelemetry::{
    Key, SpanId, TraceFlags, TraceId,
    logs::{AnyValue, LogRecord, Logger, Severity},
};
use opentelemetry_sdk::logs::{SdkLogRecord, SdkLogger};

use crate::{config::LogLimitsConfig, value_length::ValueLength};

/// The SDK's logger, whose records keep the limits.
#[derive(Debug, Clone)]
pub(crate) struct LimitedLogger {
    logger: SdkLogger,
    attributes: u32,
    value_length: ValueLength,
}

impl LimitedLogger {
    pub(super) fn new(logger: SdkLogger, limits: &LogLimitsConfig) -> Self {
        Self {
            logger,
            attributes: *limits.attributes,
            value_length: ValueLength::new(*limits.value_length),
        }
    }
}

impl Logger for LimitedLogger {
    type LogRecord = LimitedRecord;

    fn create_log_record(&self) -> LimitedRecord {
        LimitedRecord {
            record: self.logger.create_log_record(),
            attributes_left: self.attributes,
            value_length: self.value_length,
        }
    }

    fn emit(&self, record: LimitedRecord) {
        self.logger.emit(record.record);
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.logger.event_enabled(level, target, name)
    }
}

/// A record that takes no more, and nothing longer, than it may hold.
#[derive(Debug)]
pub(crate) struct LimitedRecord {
    record: SdkLogRecord,
    attributes_left: u32,
    value_length: ValueLength,
}

impl LogRecord for LimitedRecord {
    fn set_event_name(&mut self, name: &'static str) {
        self.record.set_event_name(name);
    }

    fn set_target<T>(&mut self, target: T)
    where
        T: Into<Cow<'static, str>>,
    {
        self.record.set_target(target);
    }

    fn set_timestamp(&mut self, timestamp: SystemTime) {
        self.record.set_timestamp(timestamp);
    }

    fn set_observed_timestamp(&mut self, timestamp: SystemTime) {
        self.record.set_observed_timestamp(timestamp);
    }

    fn set_severity_text(&mut self, text: &'static str) {
        self.record.set_severity_text(text);
    }

    fn set_severity_number(&mut self, number: Severity) {
        self.record.set_severity_number(number);
    }

    fn set_body(&mut self, body: AnyValue) {
        self.record.set_body(body);
    }

    fn add_attributes<I, K, V>(&mut self, attributes: I)
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<Key>,
        V: Into<AnyValue>,
    {
        for (key, value) in attributes {
            self.add_attribute(key, value);
        }
    }

    fn add_attribute<K, V>(&mut self, key: K, value: V)
    where
        K: Into<Key>,
        V: Into<AnyValue>,
    {
        let Some(left) = self.attributes_left.checked_sub(1) else {
            return;
        };
        self.attributes_left = left;
        let mut value = value.into();
        self.value_length.cut_any(&mut value);
        self.record.add_attribute(key, value);
    }

    fn set_trace_context(&mut self, trace: TraceId, span: SpanId, flags: Option<TraceFlags>) {
        self.record.set_trace_context(trace, span, flags);
    }
}
