//! The length limit of attribute values, which the SDK does not implement.

use opentelemetry::{Array, KeyValue, StringValue, Value, logs::AnyValue};

/// A limit in characters, as the specification has it; for bytes, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ValueLength(Option<usize>);

impl ValueLength {
    pub(crate) const NONE: Self = Self(None);

    /// `None`: no limit.
    pub(crate) fn new(characters: Option<u32>) -> Self {
        Self(characters.and_then(|characters| usize::try_from(characters).ok()))
    }

    /// Cuts the texts among attributes of spans, their events or links.
    pub(crate) fn cut_all<'a>(self, attributes: impl IntoIterator<Item = &'a mut KeyValue>) {
        let Some(limit) = self.0 else { return };
        for attribute in attributes {
            match &mut attribute.value {
                Value::String(text) => cut(text, limit),
                Value::Array(Array::String(texts)) => {
                    texts.iter_mut().for_each(|text| cut(text, limit));
                }
                _ => {}
            }
        }
    }

    pub(crate) fn is_none(self) -> bool {
        self.0.is_none()
    }

    /// Returns the text within the limit.
    pub(crate) fn within(self, text: &str) -> &str {
        let end = self.0.and_then(|limit| end(text, limit));
        end.map_or(text, |end| &text[..end])
    }

    /// Cuts the texts in an attribute of a log record.
    pub(crate) fn cut_any(self, value: &mut AnyValue) {
        let Some(limit) = self.0 else { return };
        match value {
            AnyValue::String(text) => cut(text, limit),
            AnyValue::Bytes(bytes) => bytes.truncate(limit),
            AnyValue::ListAny(values) => values.iter_mut().for_each(|value| self.cut_any(value)),
            AnyValue::Map(values) => values.values_mut().for_each(|value| self.cut_any(value)),
            _ => {}
        }
    }
}

fn cut(text: &mut StringValue, limit: usize) {
    if let Some(end) = end(text.as_str(), limit) {
        *text = text.as_str()[..end].to_owned().into();
    }
}

/// Returns where a text that exceeds the limit is cut.
fn end(text: &str, limit: usize) -> Option<usize> {
    // A text has no more characters than bytes.
    if text.len() <= limit {
        return None;
    }
    let (end, _) = text.char_indices().nth(limit)?;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(limit: u32, value: impl Into<Value>) -> Value {
        let mut attributes = [KeyValue::new("key", value)];
        ValueLength::new(Some(limit)).cut_all(&mut attributes);
        let [attribute] = attributes;
        attribute.value
    }

    #[test]
    fn characters_are_counted_and_never_split() {
        assert_eq!(after(3, "abcd"), "abc".into());
        assert_eq!(after(3, "äöü"), "äöü".into());
        assert_eq!(after(2, "äöü"), "äö".into());
        assert_eq!(after(0, "a"), "".into());
        assert_eq!(after(1, 1234), 1234.into());
    }

    #[test]
    fn every_text_of_a_list_is_cut() {
        let list = |texts: [&'static str; 2]| {
            Value::Array(Array::String(texts.map(StringValue::from).to_vec()))
        };
        assert_eq!(after(2, list(["abc", "d"])), list(["ab", "d"]));
        let mut any = AnyValue::ListAny(Box::new(vec!["abc".into(), AnyValue::Int(1)]));
        ValueLength::new(Some(2)).cut_any(&mut any);
        let cut = AnyValue::ListAny(Box::new(vec!["ab".into(), AnyValue::Int(1)]));
        assert_eq!(any, cut);
    }
}
