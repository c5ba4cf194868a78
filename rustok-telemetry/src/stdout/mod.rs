//! The exporter `console`: writes one line of JSON to standard output for each span, log record and metric.
//!
//! It is for development. As the specification requires, spans and log records are written at once and in order, by the
//! thread that ends or emits them.

mod log_records;
mod metrics;
mod spans;

use std::{
    io::{self, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use opentelemetry::{Array, KeyValue, StringValue, Value};
use serde_json::{Map, Value as Json};

pub(crate) use self::{
    log_records::ConsoleLogRecords, metrics::ConsoleMetrics, spans::ConsoleSpans,
};

/// Writes a line. Errors of the output are ignored.
fn write_line(line: &Json) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

fn attributes<'a>(attributes: impl IntoIterator<Item = &'a KeyValue>) -> Json {
    let attributes = attributes.into_iter();
    let map: Map<_, _> = attributes
        .map(|attribute| (attribute.key.as_str().to_owned(), json(&attribute.value)))
        .collect();
    map.into()
}

fn json(value: &Value) -> Json {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::I64(value) => (*value).into(),
        Value::F64(value) => (*value).into(),
        Value::String(value) => value.as_str().into(),
        Value::Array(Array::Bool(values)) => values.clone().into(),
        Value::Array(Array::I64(values)) => values.clone().into(),
        Value::Array(Array::F64(values)) => values.clone().into(),
        Value::Array(Array::String(values)) => values.iter().map(StringValue::as_str).collect(),
        other => other.to_string().into(),
    }
}

/// Seconds since 1970.
fn seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}
