//! Keys of label sets: the first and the last bytes of each value, which are the whole value unless it is long.
//!
//! Eight bytes at a time are loaded, hashed and compared as one number. So a lookup neither loops over bytes nor follows
//! the entry's pointers to its values. Long values are equal if their lengths, their ends and the 64-bit hashes of their
//! sets are: the hash has random keys, so a client cannot choose values that collide, and two sets with the same lengths
//! and ends do so with a probability of 2^-64.

use std::{
    array,
    hash::{BuildHasher, Hasher},
};

use foldhash::fast::RandomState;

use crate::metrics::MAX_LABEL_VALUE_BYTES;

/// The ends of each value of a label set.
pub(crate) type Key<const N: usize> = [Ends; N];

/// The first eight bytes of a value, and its last seven with its length (at most 255). They overlap in a value of less
/// than 15 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    first: u64,
    last_and_length: u64,
}

/// From this length in bytes the ends do not identify a value.
const LONG: usize = 16;

/// From this length in bytes a value may be oversized, and is normalised before its lookup.
const HUGE: usize = MAX_LABEL_VALUE_BYTES;

/// Whether the key identifies the label set.
#[inline]
pub(crate) fn are_short<const N: usize>(labels: &[&str; N]) -> bool {
    length_bits(labels) < LONG
}

/// Whether a value is long, and none is huge.
#[inline]
pub(crate) fn is_any_long<const N: usize>(labels: &[&str; N]) -> bool {
    (LONG..HUGE).contains(&length_bits(labels))
}

/// Returns a number that is below a power of two if all lengths are.
#[inline]
fn length_bits<const N: usize>(labels: &[&str; N]) -> usize {
    const { assert!(LONG.is_power_of_two() && HUGE.is_power_of_two()) }
    labels.iter().fold(0, |bits, value| bits | value.len())
}

/// Whether two keys are equal, with a single branch.
#[inline]
pub(crate) fn are_equal<const N: usize>(one: &Key<N>, other: &Key<N>) -> bool {
    let pairs = one.iter().zip(other);
    let bits = pairs.fold(0, |bits, (one, other)| {
        let last_and_length = one.last_and_length ^ other.last_and_length;
        bits | (one.first ^ other.first) | last_and_length
    });
    bits == 0
}

#[inline]
pub(crate) fn key<const N: usize>(labels: &[&str; N]) -> Key<N> {
    array::from_fn(|i| Ends::of(labels[i].as_bytes()))
}

/// Returns the hash of [short](are_short) values.
///
/// Each value is hashed on its own, so that the processor can hash them in parallel. The high half is mixed into the
/// low one, which selects the slot: the hasher's low bits are similar for similar values.
#[inline]
pub(crate) fn short_hash<const N: usize>(key: &Key<N>, hasher: &RandomState) -> u64 {
    mixed(key.iter().map(|ends| {
        let mut state = hasher.build_hasher();
        ends.write(&mut state);
        state.finish()
    }))
}

#[inline]
pub(crate) fn hash<const N: usize>(labels: &[&str; N], key: &Key<N>, hasher: &RandomState) -> u64 {
    mixed(labels.iter().zip(key).map(|(label, ends)| {
        let mut state = hasher.build_hasher();
        ends.write(&mut state);
        if label.len() >= LONG {
            let (pairs, word) = middle(label);
            for pair in pairs {
                state.write_u128(u128::from_le_bytes(*pair));
            }
            state.write_u128(word);
        }
        state.finish()
    }))
}

/// Combines hashes; their order matters.
#[inline]
fn mixed(hashes: impl Iterator<Item = u64>) -> u64 {
    let hash = hashes.fold(0_u64, |all, hash| all.rotate_left(23) ^ hash);
    hash ^ hash >> 32
}

/// Returns the bytes of a long value between its ends, in pairs of words and one more word, or 0. Up to seven bytes
/// behind them are in the value's key.
#[inline]
fn middle(value: &str) -> (&[[u8; 16]], u128) {
    let behind_first = value.as_bytes().get(8..).unwrap_or_default();
    let (pairs, rest) = behind_first.as_chunks();
    let word = rest
        .first_chunk()
        .map_or(0, |word| u64::from_le_bytes(*word));
    (pairs, word.into())
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
    reason = "two calls would take a fifth of the time of a record"
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

    #[test]
    fn both_hashes_of_short_values_are_equal() {
        let hasher = RandomState::default();
        for length in 0..20 {
            let (labels, short) = (["a", &"abcdefghijklmnopqrst"[..length]], length < 16);
            assert_eq!(is_any_long(&labels), !short, "{length}");
            assert_eq!(are_short(&labels), short, "{length}");
            let key = key(&labels);
            let same = short_hash(&key, &hasher) == hash(&labels, &key, &hasher);
            assert!(same || !short, "{length}");
        }
    }

    #[test]
    fn every_byte_of_a_value_counts() {
        let hasher = RandomState::default();
        let hash_of = |value: &str| hash(&[value], &key(&[value]), &hasher);
        for length in 0..=MAX_LABEL_VALUE_BYTES {
            let value = "a".repeat(length);
            for changed in 0..length {
                let mut other = value.clone();
                other.replace_range(changed..=changed, "b");
                let keys = [&value, &other].map(|value| key(&[value]));
                let same_keys = are_equal(&keys[0], &keys[1]);
                assert!(length >= LONG || !same_keys, "{changed} of {length}");
                assert_ne!(hash_of(&value), hash_of(&other), "{changed} of {length}");
            }
            let longer = "a".repeat(length + 1);
            let is_valid = longer.len() <= MAX_LABEL_VALUE_BYTES;
            assert!(!is_valid || hash_of(&value) != hash_of(&longer), "{length}");
        }
    }

    /// The low bits select the slot.
    #[test]
    fn hashes_of_similar_labels_are_spread() {
        let hasher = RandomState::default();
        let slots = (0..10_000).map(|number| {
            let tenant = format!("tenant-{number:05}");
            short_hash(&key(&["ProductCreated", &tenant]), &hasher) % 16_384
        });
        // 10,000 random values leave 54 % of the slots free.
        let used = slots.collect::<HashSet<_>>().len();
        assert!(used > 7_200, "{used} slots");
    }
}
