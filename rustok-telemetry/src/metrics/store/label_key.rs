//! Keys of label sets: the first and the last bytes of each value, which are the whole value unless it is long.
//!
//! Eight bytes at a time are loaded, hashed and compared as one number. So the lookup of short values neither loops
//! over bytes nor follows the entry's pointers to its values.

use std::{
    array,
    hash::{BuildHasher, Hasher},
};

use foldhash::fast::RandomState;

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

/// Whether the key identifies the label set.
#[inline]
pub(crate) fn are_short<const N: usize>(labels: &[&str; N]) -> bool {
    const { assert!(LONG.is_power_of_two(), "the fold below compares bits") }
    labels.iter().fold(0, |bits, value| bits | value.len()) < LONG
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

/// Whether two values with equal ends are equal.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.len() < LONG || one == other
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

/// Combines hashes; their order matters.
#[inline]
fn mixed(hashes: impl Iterator<Item = u64>) -> u64 {
    let hash = hashes.fold(0_u64, |all, hash| all.rotate_left(23) ^ hash);
    hash ^ hash >> 32
}

/// Returns the bytes between the ends of a long value.
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
            assert_eq!(are_short(&labels), short, "{length}");
            let key = key(&labels);
            let same = short_hash(&key, &hasher) == hash(&labels, &key, &hasher);
            assert!(same || !short, "{length}");
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
