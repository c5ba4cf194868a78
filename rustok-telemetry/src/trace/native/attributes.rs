//! Attributes that are encoded when they are set, with unique keys: the last value of a key wins, in the place of the
//! first.

use std::{fmt, io::Write, ops::Range};

use opentelemetry::KeyValue;
use prost::encoding::{WireType, decode_key, decode_varint};

use crate::{
    attributes::{unique_keys::SeenKeys, value_length::ValueLength},
    trace::SpanLimits,
    wire,
};

/// What the attributes belong to: the number of their field, and their limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    field: u32,
    limit: u32,
    value_length: ValueLength,
}

impl Owner {
    pub(super) fn span(limits: &SpanLimits) -> Self {
        Self::new(9, limits.attributes, limits)
    }

    pub(super) fn event(limits: &SpanLimits) -> Self {
        Self::new(3, limits.attributes_per_event, limits)
    }

    pub(super) fn link(limits: &SpanLimits) -> Self {
        Self::new(4, limits.attributes_per_link, limits)
    }

    fn new(field: u32, limit: u32, limits: &SpanLimits) -> Self {
        Self {
            field,
            limit,
            value_length: limits.value_length,
        }
    }
}

/// Attributes as fields of a message.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    encoded: Vec<u8>,
    seen: SeenKeys,
    count: u32,
    dropped: u32,
}

impl Attributes {
    /// Encodes these attributes.
    pub(super) fn of(owner: Owner, attributes: &[KeyValue]) -> Self {
        let mut encoded = Self::default();
        for attribute in attributes {
            encoded.set(owner, attribute);
        }
        encoded
    }

    pub(super) fn set(&mut self, owner: Owner, attribute: &KeyValue) {
        let mut cut;
        let attribute = match owner.value_length.is_none() {
            true => attribute,
            false => {
                cut = attribute.clone();
                owner.value_length.cut_all([&mut cut]);
                &cut
            }
        };
        self.set_with(owner, attribute.key.as_str(), |into| {
            wire::attribute_value(&attribute.value, into);
        });
    }

    pub(super) fn set_text(&mut self, owner: Owner, key: &str, text: &str) {
        let text = owner.value_length.within(text);
        self.set_with(owner, key, |into| wire::bytes(1, text.as_bytes(), into));
    }

    /// Formats a value into the message.
    pub(super) fn set_formatted(&mut self, owner: Owner, key: &str, value: fmt::Arguments<'_>) {
        self.set_with(owner, key, |into| {
            wire::message(1, into, |into| {
                let start = into.len();
                // Fails only if the value's implementation does, as an error of a `Vec` is impossible.
                let _ = into.write_fmt(value);
                if let Ok(text) = str::from_utf8(&into[start..]) {
                    let length = owner.value_length.within(text).len();
                    into.truncate(start + length);
                }
            });
        });
    }

    pub(super) fn set_texts(&mut self, owner: Owner, key: &str, texts: &[String]) {
        self.set_with(owner, key, |into| {
            wire::message(5, into, |into| {
                for text in texts {
                    let text = owner.value_length.within(text);
                    wire::message(1, into, |into| wire::bytes(1, text.as_bytes(), into));
                }
            });
        });
    }

    /// Sets an attribute, whose value `write` encodes.
    pub(super) fn set_with(&mut self, owner: Owner, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let may_repeat = self.seen.insert(key);
        match may_repeat.then(|| self.find(key)).flatten() {
            Some(earlier) => {
                let mut replacement = Vec::new();
                wire::attribute(owner.field, key, &mut replacement, write);
                self.encoded.splice(earlier, replacement);
            }
            None if self.count < owner.limit => {
                self.count += 1;
                wire::attribute(owner.field, key, &mut self.encoded, write);
            }
            None => self.dropped = self.dropped.saturating_add(1),
        }
    }

    /// Sets the attributes of another list for the same owner.
    pub(super) fn set_all(&mut self, owner: Owner, others: &Self) {
        if self.encoded.is_empty() && self.dropped == 0 {
            self.encoded.extend_from_slice(&others.encoded);
            (self.seen, self.count, self.dropped) = (others.seen, others.count, others.dropped);
            return;
        }
        for (place, key) in others.iter() {
            let encoded = &others.encoded[place];
            let may_repeat = self.seen.insert(key);
            match may_repeat.then(|| self.find(key)).flatten() {
                Some(earlier) => drop(self.encoded.splice(earlier, encoded.iter().copied())),
                None if self.count < owner.limit => {
                    self.count += 1;
                    self.encoded.extend_from_slice(encoded);
                }
                None => self.dropped = self.dropped.saturating_add(1),
            }
        }
        self.dropped = self.dropped.saturating_add(others.dropped);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0 && self.dropped == 0
    }

    /// Writes the attributes, and their dropped number as this field.
    pub(super) fn write(&self, dropped: u32, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.encoded);
        wire::integer(dropped, self.dropped.into(), into);
    }

    /// Removes all, and keeps the memory unless it is large.
    pub(super) fn clear(&mut self) {
        clear(&mut self.encoded);
        (self.seen, self.count, self.dropped) = (SeenKeys::default(), 0, 0);
    }

    fn find(&self, key: &str) -> Option<Range<usize>> {
        let mut attributes = self.iter();
        attributes.find_map(|(place, earlier)| (earlier == key).then_some(place))
    }

    /// Returns the place of each attribute and its key.
    fn iter(&self) -> impl Iterator<Item = (Range<usize>, &str)> {
        let mut start = 0;
        std::iter::from_fn(move || {
            // The error of a decoder at the end would be allocated.
            let mut rest = self.encoded.get(start..).filter(|rest| !rest.is_empty())?;
            let content = length_delimited(&mut rest)?.1;
            let end = self.encoded.len() - rest.len();
            let place = start..end;
            start = end;
            let mut content = content;
            let key = match length_delimited(&mut content) {
                Some((1, key)) => str::from_utf8(key).unwrap_or_default(),
                _ => "",
            };
            Some((place, key))
        })
    }
}

/// Removes the content of a buffer, and its memory if that is large.
pub(super) fn clear(buffer: &mut Vec<u8>) {
    const LARGEST_KEPT: usize = 4 << 10;
    buffer.clear();
    if buffer.capacity() > LARGEST_KEPT {
        *buffer = Vec::new();
    }
}

/// Reads a field with a length: its number and its content.
fn length_delimited<'a>(rest: &mut &'a [u8]) -> Option<(u32, &'a [u8])> {
    let (field, WireType::LengthDelimited) = decode_key(rest).ok()? else {
        return None;
    };
    let length = decode_varint(rest).ok()?;
    let (content, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some((field, content))
}

#[cfg(test)]
mod tests {
    use opentelemetry::Value;
    use opentelemetry_proto::tonic::trace::v1::Span;
    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::attributes::unique_keys::make_unique;

    /// Keys that repeat, some with the same hash, in the order in which they are set.
    fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
        let value = prop_oneof![
            any::<i64>().prop_map(Value::from),
            "[a-zü]{0,200}".prop_map(Value::from),
        ];
        let attribute = ("[a-c]{0,3}", value).prop_map(|(key, value)| KeyValue::new(key, value));
        prop::collection::vec(attribute, 0..60)
    }

    fn decoded(attributes: &Attributes) -> Span {
        let mut message = Vec::new();
        attributes.write(10, &mut message);
        Span::decode(&*message).expect("a message")
    }

    fn expected(mut attributes: Vec<KeyValue>, limit: u32) -> Span {
        make_unique(&mut attributes, limit);
        let dropped = attributes.len().saturating_sub(limit as usize);
        attributes.truncate(limit as usize);
        Span {
            dropped_attributes_count: dropped as u32,
            attributes: attributes.iter().map(Into::into).collect(),
            ..Span::default()
        }
    }

    proptest! {
        #[test]
        fn attributes_are_those_of_the_unique_list(
            first in attributes(), second in attributes(), limit in 0_u32..60,
        ) {
            let owner = Owner { field: 9, limit, value_length: ValueLength::NONE };
            let mut encoded = Attributes::of(owner, &first);
            prop_assert_eq!(decoded(&encoded), expected(first.clone(), limit));
            for attribute in &second {
                encoded.set(owner, attribute);
            }
            let all: Vec<_> = first.into_iter().chain(second).collect();
            prop_assert_eq!(decoded(&encoded), expected(all, limit));
        }

        #[test]
        fn lists_are_joined_like_single_attributes(first in attributes(), second in attributes()) {
            let owner = Owner { field: 9, limit: 1_000, value_length: ValueLength::NONE };
            let mut encoded = Attributes::of(owner, &first);
            encoded.set_all(owner, &Attributes::of(owner, &second));
            let all: Vec<_> = first.into_iter().chain(second).collect();
            prop_assert_eq!(decoded(&encoded), expected(all, 1_000));
        }
    }

    #[test]
    fn formatted_values_are_cut() {
        let value_length = ValueLength::new(Some(2));
        let owner = Owner {
            field: 9,
            limit: 9,
            value_length,
        };
        let mut encoded = Attributes::default();
        encoded.set_formatted(owner, "formatted", format_args!("{:?}", "äöü"));
        encoded.set_text(owner, "text", "äöü");
        encoded.set(owner, &KeyValue::new("value", "äöü"));
        let cut = ["\"ä", "äö", "äö"];
        for (attribute, cut) in decoded(&encoded).attributes.into_iter().zip(cut) {
            assert_eq!(attribute.value, Some(Value::from(cut).into()));
        }
    }
}
