//! The `console` exporter of log records.

use opentelemetry::{InstrumentationScope, logs::AnyValue};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord},
};
use serde_json::{Map, Value as Json, json};

use super::{seconds, write_line};

/// Writes each log record.
#[derive(Debug)]
pub(crate) struct ConsoleLogRecords;

impl LogProcessor for ConsoleLogRecords {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        write_line(&line(record));
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

fn line(record: &SdkLogRecord) -> Json {
    let origin = record.trace_context();
    json!({
        "log": record.body().map(any),
        "severity": record.severity_text(),
        "target": record.target(),
        "event_name": record.event_name().filter(|name| !name.is_empty()),
        "time": record.timestamp().map(seconds),
        "trace_id": origin.map(|origin| origin.trace_id.to_string()),
        "span_id": origin.map(|origin| origin.span_id.to_string()),
        "attributes": record_attributes(record),
    })
}

fn record_attributes(record: &SdkLogRecord) -> Json {
    let attributes = record.attributes_iter();
    let attributes: Map<_, _> = attributes
        .map(|(key, value)| (key.as_str().to_owned(), any(value)))
        .collect();
    attributes.into()
}

fn any(value: &AnyValue) -> Json {
    match value {
        AnyValue::Int(value) => (*value).into(),
        AnyValue::Double(value) => (*value).into(),
        AnyValue::String(value) => value.as_str().into(),
        AnyValue::Boolean(value) => (*value).into(),
        AnyValue::Bytes(bytes) => bytes.as_slice().into(),
        AnyValue::ListAny(values) => values.iter().map(any).collect(),
        AnyValue::Map(values) => {
            let values = values.iter();
            let map: Map<_, _> = values
                .map(|(key, value)| (key.as_str().to_owned(), any(value)))
                .collect();
            map.into()
        }
        other => format!("{other:?}").into(),
    }
}
