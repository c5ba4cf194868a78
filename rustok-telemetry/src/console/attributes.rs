//! Attributes of decoded spans and log records.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use serde_json::{Map, Value as Json};

use super::search::Search;

/// Returns all attributes, as JSON.
pub(super) fn as_json(attributes: &[KeyValue]) -> Map<String, Json> {
    let attributes = attributes.iter();
    let attributes =
        attributes.map(|attribute| (attribute.key.clone(), any(attribute.value.as_ref())));
    attributes.collect()
}

/// Returns a value, as JSON.
pub(super) fn any(value: Option<&AnyValue>) -> Json {
    match value.and_then(|value| value.value.as_ref()) {
        None | Some(Value::StringValueStrindex(_)) => Json::Null,
        Some(Value::StringValue(text)) => text.as_str().into(),
        Some(Value::BoolValue(value)) => (*value).into(),
        Some(Value::IntValue(value)) => (*value).into(),
        Some(Value::DoubleValue(value)) => (*value).into(),
        Some(Value::ArrayValue(array)) => {
            let values = array.values.iter();
            values.map(|value| any(Some(value))).collect()
        }
        Some(Value::KvlistValue(list)) => as_json(&list.values).into(),
        Some(Value::BytesValue(bytes)) => bytes.as_slice().into(),
    }
}

/// Returns a value as text: a string itself, anything else as JSON.
pub(super) fn text(value: Option<&AnyValue>) -> String {
    match any(value) {
        Json::Null => String::new(),
        Json::String(text) => text,
        other => other.to_string(),
    }
}

/// Returns the text of the attribute with this key.
pub(super) fn text_of(attributes: &[KeyValue], key: &str) -> Option<String> {
    find(attributes, key).map(|attribute| text(attribute.value.as_ref()))
}

/// Returns the attribute with this key.
pub(super) fn find<'all>(attributes: &'all [KeyValue], key: &str) -> Option<&'all KeyValue> {
    attributes.iter().find(|attribute| attribute.key == key)
}

impl Search {
    /// Whether the text is in the value of an attribute.
    pub(super) fn finds_in(&self, attributes: &[KeyValue]) -> bool {
        let mut attributes = attributes.iter();
        attributes.any(|attribute| self.finds(&text(attribute.value.as_ref())))
    }
}
