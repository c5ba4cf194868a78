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
pub(super) type Key<const N: usize> = [Ends; N];

/// The first and the last eight bytes of a value; in one of less than sixteen they overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    first: u64,
    last: u64,
}

/// Longest value that its ends and its length leave no doubt about.
const SHORT: usize = 16;

#[inline]
pub(super) fn key<const N: usize>(labels: &[&str; N]) -> Key<N> {
    array::from_fn(|i| Ends::of(labels[i].as_bytes()))
}

#[inline]
pub(super) fn hash<const N: usize>(labels: &[&str; N], key: &Key<N>, hasher: &RandomState) -> u64 {
    let mut state = hasher.build_hasher();
    for (label, ends) in labels.iter().zip(key) {
        // The length takes the place of the highest byte, which seldom tells values apart.
        state.write_u64(ends.first ^ (label.len() as u64).rotate_right(8));
        state.write_u64(ends.last);
        if let Some(middle) = middle(label.as_bytes()) {
            state.write(middle);
        }
    }
    state.finish()
}

/// Whether two values are equal of which the ends are.
#[inline]
pub(super) fn equal_ends_mean_equal(one: &str, other: &str) -> bool {
    one.len() == other.len() && middle(one.as_bytes()) == middle(other.as_bytes())
}

impl Ends {
    #[inline]
    fn of(bytes: &[u8]) -> Self {
        if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            let [first, last] = [first, last].map(|eight| u64::from_le_bytes(*eight));
            return Self { first, last };
        }
        if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            let [first, last] = [first, last].map(|four| u32::from_le_bytes(*four).into());
            return Self { first, last };
        }
        let [first, last] = match *bytes {
            [] => [0, 0],
            [only] => [only, 0],
            [one, two] => [one, two],
            [one, two, .., last] => {
                return Self {
                    first: u64::from(one) << 8 | u64::from(two),
                    last: last.into(),
                };
            }
        };
        Self {
            first: first.into(),
            last: last.into(),
        }
    }
}

/// What lies between the ends.
#[inline]
fn middle(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.len() <= SHORT {
        return None;
    }
    bytes.get(SHORT / 2..bytes.len() - SHORT / 2)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn equal(one: &str, other: &str) -> bool {
        key(&[one]) == key(&[other]) && equal_ends_mean_equal(one, other)
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

    /// The low bits choose where a search begins.
    #[test]
    fn hashes_of_similar_labels_are_spread() {
        let hasher = RandomState::default();
        let mut used = HashSet::new();
        for number in 0..10_000 {
            let tenant = format!("tenant-{number:05}");
            let labels = ["ProductCreated", tenant.as_str()];
            used.insert(hash(&labels, &key(&labels), &hasher) % 16_384);
        }
        // 10,000 values that are spread at random leave 54 % of the places free.
        assert!(used.len() > 7_200, "{} places", used.len());
    }
}
