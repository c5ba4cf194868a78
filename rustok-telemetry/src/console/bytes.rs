//! Estimates of the memory that values hold on the heap.

use opentelemetry::{Array, StringValue, Value, logs::AnyValue};

/// What an allocation takes beyond its content.
const ALLOCATION: usize = 16;

pub(super) fn of_value(value: &Value) -> usize {
    match value {
        Value::String(text) => ALLOCATION + text.as_str().len(),
        Value::Array(Array::Bool(values)) => ALLOCATION + values.capacity(),
        Value::Array(Array::I64(values)) => ALLOCATION + values.capacity() * size_of::<i64>(),
        Value::Array(Array::F64(values)) => ALLOCATION + values.capacity() * size_of::<f64>(),
        Value::Array(Array::String(values)) => {
            let texts = values.iter().map(|text| ALLOCATION + text.as_str().len());
            values.capacity() * size_of::<StringValue>() + texts.sum::<usize>()
        }
        _ => 0,
    }
}

pub(super) fn of_any(value: &AnyValue) -> usize {
    match value {
        AnyValue::String(text) => ALLOCATION + text.as_str().len(),
        AnyValue::Bytes(bytes) => ALLOCATION + bytes.capacity(),
        AnyValue::ListAny(values) => {
            let values = values
                .iter()
                .map(|value| size_of::<AnyValue>() + of_any(value));
            ALLOCATION + values.sum::<usize>()
        }
        AnyValue::Map(values) => {
            let values = values.iter();
            let values = values.map(|(key, value)| {
                2 * size_of::<AnyValue>() + ALLOCATION + key.as_str().len() + of_any(value)
            });
            ALLOCATION + values.sum::<usize>()
        }
        _ => 0,
    }
}
