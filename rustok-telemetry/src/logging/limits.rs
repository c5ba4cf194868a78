//! Limits of log records, and unique keys of their attributes. The SDK has neither and cannot remove an attribute, so both
//! are applied while a record is created.

use std::{borrow::Cow, time::SystemTime};

use opentelemetry::{
    Key, SpanId, TraceFlags, TraceId,
    logs::{AnyValue, LogRecord, Logger, Severity},
};
use opentelemetry_sdk::logs::{SdkLogRecord, SdkLogger};

use super::context_fields;
use crate::{
    attributes::{unique_keys::SeenKeys, value_length::ValueLength},
    config::LogLimitsConfig,
};

/// The SDK's logger with limited records.
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
            attributes: limits.attributes.value,
            value_length: ValueLength::new(limits.value_length.value),
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
            seen: SeenKeys::default(),
            replaced: Vec::new(),
        }
    }

    fn emit(&self, mut record: LimitedRecord) {
        record.add_absent(context_fields::take());
        let record = match record.replaced.is_empty() {
            true => record.record,
            false => record.rebuilt(self.logger.create_log_record()),
        };
        self.logger.emit(record);
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.logger.event_enabled(level, target, name)
    }
}

/// A record with limits on the number and the length of its attributes.
#[derive(Debug)]
pub(crate) struct LimitedRecord {
    record: SdkLogRecord,
    attributes_left: u32,
    value_length: ValueLength,
    seen: SeenKeys,
    /// The last values of keys that were added more than once.
    replaced: Vec<(Key, AnyValue)>,
}

impl LimitedRecord {
    /// Adds attributes whose key the record does not have.
    fn add_absent(&mut self, attributes: Vec<(Key, AnyValue)>) {
        for (key, value) in attributes {
            if !self.has(&key) {
                self.add_attribute(key, value);
            }
        }
    }

    fn has(&self, key: &Key) -> bool {
        self.record.attributes_iter().any(|(own, _)| own == key)
    }

    fn replace(&mut self, key: Key, value: AnyValue) {
        let mut replaced = self.replaced.iter_mut();
        match replaced.find(|(replaced, _)| *replaced == key) {
            Some((_, earlier)) => *earlier = value,
            None => self.replaced.push((key, value)),
        }
    }

    /// Copies the record to an empty one, with the values that were replaced.
    fn rebuilt(self, mut empty: SdkLogRecord) -> SdkLogRecord {
        let Self {
            record, replaced, ..
        } = self;
        if let Some(name) = record.event_name() {
            empty.set_event_name(name);
        }
        if let Some(target) = record.target() {
            empty.set_target(target.clone());
        }
        if let Some(time) = record.timestamp() {
            empty.set_timestamp(time);
        }
        if let Some(time) = record.observed_timestamp() {
            empty.set_observed_timestamp(time);
        }
        if let Some(text) = record.severity_text() {
            empty.set_severity_text(text);
        }
        if let Some(number) = record.severity_number() {
            empty.set_severity_number(number);
        }
        if let Some(body) = record.body() {
            empty.set_body(body.clone());
        }
        if let Some(of) = record.trace_context() {
            empty.set_trace_context(of.trace_id, of.span_id, of.trace_flags);
        }
        for (key, value) in record.attributes_iter() {
            let mut replaced = replaced.iter();
            let last = replaced.find(|(replaced, _)| replaced == key);
            let value = last.map_or(value, |(_, last)| last);
            empty.add_attribute(key.clone(), value.clone());
        }
        empty
    }
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
        let (key, mut value) = (key.into(), value.into());
        self.value_length.cut_any(&mut value);
        if self.seen.insert(key.as_str()) && self.has(&key) {
            return self.replace(key, value);
        }
        let Some(left) = self.attributes_left.checked_sub(1) else {
            return;
        };
        self.attributes_left = left;
        self.record.add_attribute(key, value);
    }

    fn set_trace_context(&mut self, trace: TraceId, span: SpanId, flags: Option<TraceFlags>) {
        self.record.set_trace_context(trace, span, flags);
    }
}
