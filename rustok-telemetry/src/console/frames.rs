//! Frames: what has changed in all series from one sample to the next, in a few bytes a series.
//!
//! An entry is a varint with the distance to the previous entry's series and whether the series has ended, then its
//! value: a varint with the difference of an integer, the eight bytes of a float, or the sum of a histogram and the
//! differences of the buckets that changed.

/// The value of a series.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// An integer; a negative one in two's complement.
    Integer(u64),
    Float(f64),
    Histogram {
        sum: f64,
        /// Of each bucket, not cumulative.
        counts: Box<[u64]>,
    },
}

/// Compares floats by their bits: NaN is the same as NaN.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (
                Self::Histogram { sum, counts },
                Self::Histogram {
                    sum: other_sum,
                    counts: other_counts,
                },
            ) => sum.to_bits() == other_sum.to_bits() && counts == other_counts,
            _ => false,
        }
    }
}

/// What the values of a series have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Unsigned,
    Signed,
    Float,
    /// With this many buckets.
    Histogram(usize),
}

impl Shape {
    fn zero(self) -> Value {
        match self {
            Self::Unsigned | Self::Signed => Value::Integer(0),
            Self::Float => Value::Float(0.0),
            Self::Histogram(buckets) => Value::Histogram {
                sum: 0.0,
                counts: vec![0; buckets].into(),
            },
        }
    }

    /// Returns the bytes that a value has on the heap.
    pub(super) fn heap_bytes(self) -> usize {
        match self {
            Self::Histogram(buckets) => buckets * size_of::<u64>(),
            _ => 0,
        }
    }
}

/// Writes one frame after the other.
#[derive(Debug, Default)]
pub(super) struct FrameWriter {
    bytes: Vec<u8>,
    previous: usize,
}

impl FrameWriter {
    /// Adds the change of a series, whose values have `shape`. `None` is a series that is not there.
    pub(super) fn change(
        &mut self,
        series: usize,
        shape: Shape,
        from: Option<&Value>,
        to: Option<&Value>,
    ) {
        let distance = zigzag((series as i64).wrapping_sub(self.previous as i64));
        self.previous = series;
        push_varint(&mut self.bytes, distance << 1 | u64::from(to.is_none()));
        let Some(to) = to else { return };
        let zero;
        let from = match from {
            Some(from) => from,
            None => {
                zero = shape.zero();
                &zero
            }
        };
        match (from, to) {
            (Value::Integer(from), Value::Integer(to)) => self.difference(*from, *to),
            (_, Value::Float(to)) => self.bytes.extend(to.to_le_bytes()),
            (Value::Histogram { counts: from, .. }, Value::Histogram { sum, counts: to }) => {
                self.bytes.extend(sum.to_le_bytes());
                let pairs = || from.iter().zip(&**to).enumerate();
                let changed = || pairs().filter(|(_, (from, to))| from != to);
                push_varint(&mut self.bytes, changed().count() as u64);
                for (bucket, (from, to)) in changed() {
                    push_varint(&mut self.bytes, bucket as u64);
                    self.difference(*from, *to);
                }
            }
            // A series keeps its shape.
            _ => debug_assert!(false, "{from:?} and {to:?}"),
        }
    }

    fn difference(&mut self, from: u64, to: u64) {
        push_varint(&mut self.bytes, zigzag(to.wrapping_sub(from) as i64));
    }

    /// Returns the frame, and begins the next.
    pub(super) fn finish(&mut self) -> Box<[u8]> {
        let frame = self.bytes.as_slice().into();
        self.bytes.clear();
        self.previous = 0;
        frame
    }
}

/// The values that a frame is applied to.
pub(super) trait Values {
    fn shape(&self, series: usize) -> Option<Shape>;

    /// Returns the value of a series, if it is wanted.
    fn value(&mut self, series: usize) -> Option<&mut Option<Value>>;
}

/// Changes the values before a frame to those after it.
pub(super) fn apply(frame: &[u8], values: &mut impl Values) {
    let mut reader = Reader(frame);
    let mut series = 0_i64;
    while !reader.0.is_empty() {
        let head = reader.varint();
        series = series.wrapping_add(unzigzag(head >> 1));
        let index = series as usize;
        let Some(shape) = values.shape(index) else {
            return;
        };
        let mut unwanted = None;
        let value = values.value(index).unwrap_or(&mut unwanted);
        if head & 1 == 1 {
            *value = None;
            continue;
        }
        match value.get_or_insert_with(|| shape.zero()) {
            Value::Integer(value) => reader.difference(value),
            Value::Float(value) => *value = reader.float(),
            Value::Histogram { sum, counts } => {
                *sum = reader.float();
                for _ in 0..reader.varint() {
                    let bucket = reader.varint() as usize;
                    let mut outside = 0;
                    reader.difference(counts.get_mut(bucket).unwrap_or(&mut outside));
                }
            }
        }
    }
}

/// Reads what was written; zeros at the end of the bytes.
pub(super) struct Reader<'bytes>(pub(super) &'bytes [u8]);

impl<'bytes> Reader<'bytes> {
    pub(super) fn varint(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let Some((byte, rest)) = self.0.split_first() else {
                break;
            };
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    pub(super) fn take(&mut self, bytes: usize) -> &'bytes [u8] {
        let (taken, rest) = self.0.split_at(bytes.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn float(&mut self) -> f64 {
        self.take(8).try_into().map_or(0.0, f64::from_le_bytes)
    }

    fn difference(&mut self, value: &mut u64) {
        *value = value.wrapping_add(unzigzag(self.varint()) as u64);
    }
}

pub(super) fn push_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
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

    const SHAPES: [Shape; 4] = [
        Shape::Unsigned,
        Shape::Signed,
        Shape::Float,
        Shape::Histogram(3),
    ];

    struct All(Vec<Option<Value>>);

    impl Values for All {
        fn shape(&self, series: usize) -> Option<Shape> {
            Some(SHAPES[series % SHAPES.len()])
        }

        fn value(&mut self, series: usize) -> Option<&mut Option<Value>> {
            self.0.get_mut(series)
        }
    }

    fn value(series: usize) -> BoxedStrategy<Option<Value>> {
        let value = match SHAPES[series % SHAPES.len()] {
            Shape::Unsigned | Shape::Signed => any::<u64>().prop_map(Value::Integer).boxed(),
            Shape::Float => any::<u64>()
                .prop_map(|bits| Value::Float(f64::from_bits(bits)))
                .boxed(),
            Shape::Histogram(buckets) => (any::<f64>(), vec![any::<u64>(); buckets])
                .prop_map(|(sum, counts)| Value::Histogram {
                    sum,
                    counts: counts.into(),
                })
                .boxed(),
        };
        prop::option::of(value).boxed()
    }

    fn sample() -> impl Strategy<Value = Vec<Option<Value>>> {
        (0..12).map(value).collect::<Vec<_>>()
    }

    proptest! {
        /// Whatever the order of the entries, and for a part of the series alone.
        #[test]
        fn frames_lead_from_each_sample_to_the_next(
            samples in prop::collection::vec(sample(), 1..8),
            order in Just((0..12).collect::<Vec<usize>>()).prop_shuffle(),
        ) {
            let mut writer = FrameWriter::default();
            let mut before = vec![None; 12];
            let (mut all, mut some) = (All(before.clone()), All(before[..5].to_vec()));
            for sample in samples {
                for &series in &order {
                    let shape = SHAPES[series % SHAPES.len()];
                    let (from, to) = (&before[series], &sample[series]);
                    if from != to {
                        writer.change(series, shape, from.as_ref(), to.as_ref());
                    }
                }
                let frame = writer.finish();
                apply(&frame, &mut all);
                apply(&frame, &mut some);
                prop_assert_eq!(&all.0, &sample);
                prop_assert_eq!(&some.0, &sample[..5]);
                before = sample;
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            apply(&bytes, &mut All(vec![None; 12]));
        }
    }
}
