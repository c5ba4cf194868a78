//! Frames: what has changed in all series from one sample to the next, in a few bytes a series.
//!
//! An entry is a varint with the distance to the previous entry's series and whether the series has ended, then its
//! value: a varint with the difference of an integer, the eight bytes of a float, or the sum of a histogram and the
//! differences of the buckets that changed.

use std::mem;

use prost::encoding::{decode_varint, encode_varint};

/// The value of a series, whose variant does not change.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Histogram {
        sum: f64,
        /// Of each bucket, not cumulative.
        counts: Box<[u64]>,
    },
}

impl Value {
    fn zero(&self) -> Self {
        match self {
            Self::Unsigned(_) => Self::Unsigned(0),
            Self::Signed(_) => Self::Signed(0),
            Self::Float(_) => Self::Float(0.0),
            Self::Histogram { counts, .. } => Self::Histogram {
                sum: 0.0,
                counts: vec![0; counts.len()].into(),
            },
        }
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Histogram { counts, .. }, Self::Histogram { counts: others, .. }) => {
                counts.len() == others.len()
            }
            _ => mem::discriminant(self) == mem::discriminant(other),
        }
    }

    /// Returns the number; of a histogram, the number of values.
    pub(super) fn size(&self) -> f64 {
        match self {
            Self::Unsigned(value) => *value as f64,
            Self::Signed(value) => *value as f64,
            Self::Float(value) => *value,
            Self::Histogram { counts, .. } => counts.iter().map(|count| *count as f64).sum(),
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Histogram { counts, .. } => size_of_val(&**counts),
            _ => 0,
        }
    }
}

/// The value of a series at one time; zero while the series is not there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    value: Value,
    is_there: bool,
}

impl Slot {
    /// Creates the slot of a series that is not there, for values like this one.
    pub(super) fn empty(like: &Value) -> Self {
        Self {
            value: like.zero(),
            is_there: false,
        }
    }

    pub(super) fn get(&self) -> Option<&Value> {
        self.is_there.then_some(&self.value)
    }

    pub(super) fn fits(&self, value: &Value) -> bool {
        self.value.is_like(value)
    }
}

/// Writes one frame after the other.
#[derive(Debug, Default)]
pub(super) struct FrameWriter {
    bytes: Vec<u8>,
    previous: usize,
}

impl FrameWriter {
    /// Sets the value of a series, and writes the change. `None` ends the series.
    pub(super) fn set(&mut self, series: usize, slot: &mut Slot, value: Option<Value>) {
        let now = match value {
            Some(value) => Slot {
                value,
                is_there: true,
            },
            None => Slot::empty(&slot.value),
        };
        if *slot == now {
            return;
        }
        let distance = zigzag((series as i64).wrapping_sub(self.previous as i64));
        self.previous = series;
        encode_varint(distance << 1 | u64::from(!now.is_there), &mut self.bytes);
        if now.is_there {
            self.change(&slot.value, &now.value);
        }
        *slot = now;
    }

    fn change(&mut self, from: &Value, to: &Value) {
        match (from, to) {
            (Value::Unsigned(from), Value::Unsigned(to)) => self.difference(*from, *to),
            (Value::Signed(from), Value::Signed(to)) => self.difference(*from as u64, *to as u64),
            (_, Value::Float(to)) => self.bytes.extend(to.to_le_bytes()),
            (Value::Histogram { counts: from, .. }, Value::Histogram { sum, counts: to }) => {
                self.bytes.extend(sum.to_le_bytes());
                let pairs = from.iter().zip(&**to).enumerate();
                let changed: Vec<_> = pairs.filter(|(_, (from, to))| from != to).collect();
                encode_varint(changed.len() as u64, &mut self.bytes);
                for (bucket, (from, to)) in changed {
                    encode_varint(bucket as u64, &mut self.bytes);
                    self.difference(*from, *to);
                }
            }
            _ => debug_assert!(false, "{from:?} and {to:?}"),
        }
    }

    fn difference(&mut self, from: u64, to: u64) {
        encode_varint(zigzag(to.wrapping_sub(from) as i64), &mut self.bytes);
    }

    /// Returns the frame, and begins the next.
    pub(super) fn finish(&mut self) -> Box<[u8]> {
        let frame = self.bytes.as_slice().into();
        self.bytes.clear();
        self.previous = 0;
        frame
    }
}

/// Changes the values before a frame to those after it.
pub(super) fn apply(frame: &[u8], slots: &mut [Slot]) {
    let mut reader = Reader(frame);
    let mut series = 0_i64;
    while !reader.0.is_empty() {
        let head = reader.varint();
        series = series.wrapping_add(unzigzag(head >> 1));
        let Some(slot) = slots.get_mut(series as usize) else {
            return;
        };
        slot.is_there = head & 1 == 0;
        if !slot.is_there {
            slot.value = slot.value.zero();
            continue;
        }
        match &mut slot.value {
            Value::Unsigned(value) => *value = reader.difference(*value),
            Value::Signed(value) => *value = reader.difference(*value as u64) as i64,
            Value::Float(value) => *value = reader.float(),
            Value::Histogram { sum, counts } => {
                *sum = reader.float();
                for _ in 0..reader.varint() {
                    let Some(count) = counts.get_mut(reader.varint() as usize) else {
                        return;
                    };
                    *count = reader.difference(*count);
                }
            }
        }
    }
}

/// Reads what was written; zeros at the end of the bytes.
pub(super) struct Reader<'bytes>(pub(super) &'bytes [u8]);

impl<'bytes> Reader<'bytes> {
    pub(super) fn varint(&mut self) -> u64 {
        decode_varint(&mut self.0).unwrap_or_else(|_| {
            self.0 = &[];
            0
        })
    }

    pub(super) fn take(&mut self, bytes: usize) -> &'bytes [u8] {
        let (taken, rest) = self.0.split_at(bytes.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn float(&mut self) -> f64 {
        self.take(8).try_into().map_or(0.0, f64::from_le_bytes)
    }

    /// Returns a number by its difference to the one before.
    fn difference(&mut self, before: u64) -> u64 {
        before.wrapping_add(unzigzag(self.varint()) as u64)
    }
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let counts = [0; 3].into();
            let values = [Value::Unsigned(0), Value::Signed(0), Value::Float(0.0), Value::Histogram { sum: 0.0, counts }];
            let mut slots: Vec<_> = values.iter().cycle().take(12).map(Slot::empty).collect();
            apply(&bytes, &mut slots);
        }
    }
}
