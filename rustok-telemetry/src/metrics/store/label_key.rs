//! What label sets are found by: the first and the last bytes of each value, which are all of it unless it is long.
//!
//! Eight bytes are loaded, hashed and compared as one number. So a label set of short values is found without reading
//! byte by byte, and without following the entry's pointers to its values.

use std::{
    array,
    hash::{BuildHasher, Hasher},
};

use foldhash::fast::RandomState;

/// The ends of each value of a label set.
pub(crate) type Key<const N: usize> = [Ends; N];

/// The first eight bytes of a value; and the last seven, which overlap with them in one of less than fifteen, below its
/// length. A length of more than a byte is 255.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    first: u64,
    last_and_length: u64,
}

/// Values of so many bytes are long: their ends leave doubts about what is between.
const LONG: usize = 16;

/// Whether the ends of each value are all of it.
#[inline]
pub(crate) fn are_short<const N: usize>(labels: &[&str; N]) -> bool {
    const {
        assert!(
            LONG.is_power_of_two(),
            "numbers below it are known by their bits"
        )
    }
    labels.iter().fold(0, |bits, value| bits | value.len()) < LONG
}

/// Whether two keys are the same. One question for the processor to guess the answer to, not one for each part.
#[inline]
pub(crate) fn are_equal<const N: usize>(one: &Key<N>, other: &Key<N>) -> bool {
    let pairs = one.iter().zip(other);
    let bits = pairs.fold(0, |bits, (one, other)| {
        let last_and_length = one.last_and_length ^ other.last_and_length;
        bits | (one.first ^ other.first) | last_and_length
    });
    bits == 0
}

/// Whether two values with the same ends are the same.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.len() < LONG || one == other
}

#[inline]
pub(crate) fn key<const N: usize>(labels: &[&str; N]) -> Key<N> {
    array::from_fn(|i| Ends::of(labels[i].as_bytes()))
}

/// The hash of values that [are short](are_short).
///
/// Each value is hashed by itself, so that the processor does it for all at the same time. The high half is mixed into the
/// low one, which chooses the slot, as the hasher leaves similar values close together there.
#[inline]
pub(crate) fn short_hash<const N: usize>(key: &Key<N>, hasher: &RandomState) -> u64 {
    mixed(key.iter().map(|ends| {
        let mut state = hasher.build_hasher();
        ends.write(&mut state);
        state.finish()
    }))
}

/// The hash of any values.
pub(crate) fn hash<const N: usize>(labels: &[&str; N], key: &Key<N>, hasher: &RandomState) -> u64 {
    mixed(labels.iter().zip(key).map(|(label, ends)| {
        let mut state = hasher.build_hasher();
        ends.write(&mut state);
        if let Some(middle) = middle(label) {
            state.write(middle);
        }
        state.finish()
    }))
}

/// One hash of several, which counts their order.
#[inline]
fn mixed(hashes: impl Iterator<Item = u64>) -> u64 {
    let hash = hashes.fold(0_u64, |all, own| all.rotate_left(23) ^ own);
    hash ^ hash >> 32
}

/// What lies between the ends of a long value.
fn middle(value: &str) -> Option<&[u8]> {
    if value.len() < LONG {
        return None;
    }
    value.as_bytes().get(8..value.len() - 7)
}

impl Ends {
    #[inline]
    fn of(bytes: &[u8]) -> Self {
        let [first, last] = ends(bytes);
        let length = bytes.len().min(255) as u64;
        Self {
            first,
            last_and_length: last | length << 56,
        }
    }

    #[inline]
    fn write(self, state: &mut impl Hasher) {
        state.write_u64(self.first);
        state.write_u64(self.last_and_length);
    }
}

#[allow(
    clippy::inline_always,
    reason = "two calls would be a fifth of a record"
)]
#[inline(always)]
fn ends(bytes: &[u8]) -> [u64; 2] {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return [u64::from_le_bytes(*first), u64::from_le_bytes(*last) >> 8];
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return [first, last].map(|four| u32::from_le_bytes(*four).into());
    }
    match *bytes {
        [] => [0, 0],
        [only] => [only.into(), 0],
        [first, .., last] => [u64::from(first) << 8 | u64::from(bytes[1]), last.into()],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn equal(one: &str, other: &str) -> bool {
        are_equal(&key(&[one]), &key(&[other])) && is_same(one, other)
    }

    #[test]
    fn values_differ_wherever_one_byte_does() {
        for length in 0..40 {
            let value = "a".repeat(length);
            assert!(equal(&value, &value));
            assert!(!equal(&value, &"a".repeat(length + 1)));
            for at in 0..length {
                let mut other = value.clone();
                other.replace_range(at..=at, "b");
                assert!(!equal(&value, &other), "{value} and {other}");
            }
        }
    }

    #[test]
    fn hashes_differ_where_labels_do() {
        let hasher = RandomState::default();
        let hash = |labels: [&str; 2]| hash(&labels, &key(&labels), &hasher);
        let values: Vec<_> = (0..40)
            .flat_map(|length| ["a", "b"].map(|letter| letter.repeat(length)))
            .collect();
        let mut hashes = HashSet::new();
        for one in &values {
            for other in &values {
                hashes.insert(hash([one, other]));
            }
        }
        // The empty value is there twice.
        assert_eq!(hashes.len(), 79 * 79);
    }

    #[test]
    fn short_values_have_one_hash() {
        let hasher = RandomState::default();
        for length in 0..20 {
            let value = "abcdefghijklmnopqrst".get(..length).unwrap_or_default();
            let (labels, short) = (["a", value], length < 16);
            assert_eq!(are_short(&labels), short, "{value}");
            let key = key(&labels);
            let same = short_hash(&key, &hasher) == hash(&labels, &key, &hasher);
            assert!(same || !short, "{value}");
        }
    }

    /// The low bits choose where a search begins.
    #[test]
    fn hashes_of_similar_labels_are_spread() {
        let hasher = RandomState::default();
        let mut used = HashSet::new();
        for number in 0..10_000 {
            let tenant = format!("tenant-{number:05}");
            let labels = ["ProductCreated", tenant.as_str()];
            used.insert(short_hash(&key(&labels), &hasher) % 16_384);
        }
        // 10,000 values that are spread at random leave 54 % of the places free.
        assert!(used.len() > 7_200, "{} places", used.len());
    }
}
