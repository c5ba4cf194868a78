//! Attributes with unique keys: the last value of a key wins, in the place of the first.

use opentelemetry::KeyValue;

/// The keys of a list, as one bit of each key's hash: a key whose bit is not set is not in the list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SeenKeys(u64);

impl SeenKeys {
    /// Adds a key. Returns whether it may have been there.
    pub(crate) fn insert(&mut self, key: &str) -> bool {
        let bit = 1 << (hash(key) >> 58);
        let seen = self.0 & bit != 0;
        self.0 |= bit;
        seen
    }
}

/// Removes repeated keys. Only the first `limit` keys are compared with: the SDK drops all further ones.
pub(crate) fn make_unique(attributes: &mut Vec<KeyValue>, limit: u32) -> SeenKeys {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut seen = SeenKeys::default();
    let mut kept = 0;
    for index in 0..attributes.len() {
        let key = &attributes[index].key;
        let may_repeat = seen.insert(key.as_str());
        let mut earlier = attributes[..kept.min(limit)].iter();
        match earlier.position(|earlier| may_repeat && earlier.key == *key) {
            Some(earlier) => attributes.swap(earlier, index),
            None => {
                attributes.swap(kept, index);
                kept += 1;
            }
        }
    }
    attributes.truncate(kept);
    seen
}

/// Names of attributes differ in their length or at their end.
fn hash(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let end = match bytes.last_chunk() {
        Some(end) => u64::from_le_bytes(*end),
        None => bytes
            .iter()
            .fold(0, |end, byte| end << 8 | u64::from(*byte)),
    };
    // 2⁶⁴ by the golden ratio.
    (end ^ (bytes.len() as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unique(keys: &[&'static str], limit: u32) -> Vec<(String, i64)> {
        let numbered = keys.iter().zip(0_i64..);
        let mut attributes: Vec<_> = numbered.map(|(key, n)| KeyValue::new(*key, n)).collect();
        make_unique(&mut attributes, limit);
        let pair = |attribute: KeyValue| match attribute.value {
            opentelemetry::Value::I64(value) => (attribute.key.to_string(), value),
            other => panic!("{other:?}"),
        };
        attributes.into_iter().map(pair).collect()
    }

    #[test]
    fn the_last_value_takes_the_place_of_the_first() {
        let expected = [
            ("a".to_owned(), 3),
            ("b".to_owned(), 1),
            ("c".to_owned(), 4),
        ];
        assert_eq!(unique(&["a", "b", "a", "a", "c"], 128), expected);
        assert_eq!(unique(&[], 128), []);
        assert_eq!(
            unique(&["a", "b"], 0).len(),
            2,
            "the SDK drops and counts both"
        );
    }

    proptest! {
        #[test]
        fn keys_are_unique_whatever_their_hashes(keys in prop::collection::vec("[a-z.]{0,12}", 0..300)) {
            let mut attributes: Vec<_> = (0_i64..)
                .zip(&keys)
                .map(|(n, key)| KeyValue::new(key.clone(), n))
                .collect();
            make_unique(&mut attributes, 1_000);
            let mut expected: Vec<(String, i64)> = Vec::new();
            for (n, key) in (0_i64..).zip(&keys) {
                match expected.iter_mut().find(|(earlier, _)| earlier == key) {
                    Some(earlier) => earlier.1 = n,
                    None => expected.push((key.clone(), n)),
                }
            }
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(key, n)| KeyValue::new(key, n))
                .collect();
            prop_assert_eq!(attributes, expected);
        }
    }
}
