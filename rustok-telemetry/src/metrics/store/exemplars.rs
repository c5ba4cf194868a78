//! The exemplars of a series: for each bucket of a histogram, and for a counter, the latest value that was recorded
//! within a sampled span.
//!
//! # Threads and atomics
//!
//! A slot is a sequence lock. A writer makes the sequence odd, stores the fields, and makes it even again; a reader
//! accepts fields between two equal even numbers. Threads never wait: a writer that finds another
//! one writing skips its own write, and a reader gives up after some attempts.
//!
//! Fields are stored with `Release` and loaded with `Acquire`. A reader that sees a field of a write therefore sees that
//! write's odd sequence in its second load, so it accepts only fields of one write.

use super::sync::{AtomicU64, OnceBox, Ordering, READ_ATTEMPTS};

/// The exemplars of one series. Their memory is allocated with the first one: 48 bytes for each slot.
#[derive(Debug)]
pub struct Exemplars(OnceBox<Box<[Slot]>>);

/// A recorded value and the span in which it was recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exemplar {
    /// The span; [`SpanIds::NONE`] outside of a span.
    pub span: SpanIds,
    /// The value.
    pub value: f64,
    /// When it was recorded, in nanoseconds since 1970.
    pub time: u64,
}

/// The ids of a span; by default none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpanIds {
    /// The trace id.
    pub trace: u128,
    /// The span id; 0 for no span.
    pub span: u64,
}

impl SpanIds {
    /// The ids of no span.
    pub const NONE: Self = Self { trace: 0, span: 0 };
}

/// The latest exemplar of a bucket or a counter.
#[derive(Debug)]
struct Slot {
    /// 0 in an empty slot, odd during a write.
    sequence: AtomicU64,
    /// The upper and lower half of the trace id, the span id, the value and the time.
    fields: [AtomicU64; 5],
}

impl Exemplars {
    pub(crate) fn new() -> Self {
        Self(OnceBox::new())
    }

    /// Stores an exemplar in slot `at` of `slots`, unless another thread is writing there.
    pub(crate) fn store(&self, at: usize, slots: usize, exemplar: Exemplar) {
        let slots = match self.0.get() {
            Some(slots) => slots,
            None => self.allocate(slots),
        };
        if let Some(slot) = slots.get(at) {
            slot.store(exemplar);
        }
    }

    /// Returns each exemplar with its slot.
    pub(crate) fn read(&self) -> Vec<(usize, Exemplar)> {
        let slots = self.0.get().into_iter().flatten().enumerate();
        slots
            .filter_map(|(at, slot)| Some((at, slot.load()?)))
            .collect()
    }

    #[cold]
    fn allocate(&self, slots: usize) -> &[Slot] {
        self.0
            .get_or_init(|| Box::new((0..slots).map(|_| Slot::new()).collect()))
    }
}

impl Slot {
    fn new() -> Self {
        Self {
            sequence: AtomicU64::new(0),
            fields: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    fn store(&self, Exemplar { span, value, time }: Exemplar) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        let is_free = sequence.is_multiple_of(2)
            && self
                .sequence
                .compare_exchange(
                    sequence,
                    sequence.wrapping_add(1),
                    Ordering::Acquire,
                    Ordering::Relaxed,
                )
                .is_ok();
        if !is_free {
            return;
        }
        let [upper, lower] = [(span.trace >> 64) as u64, span.trace as u64];
        let values = [upper, lower, span.span, value.to_bits(), time];
        for (field, value) in self.fields.iter().zip(values) {
            field.store(value, Ordering::Release);
        }
        self.sequence
            .store(sequence.wrapping_add(2), Ordering::Release);
    }

    /// Returns the exemplar; `None` if there is none, or at every attempt one is being written.
    fn load(&self) -> Option<Exemplar> {
        (0..READ_ATTEMPTS).find_map(|_| self.try_load())
    }

    fn try_load(&self) -> Option<Exemplar> {
        let before = self.sequence.load(Ordering::Acquire);
        if before == 0 || !before.is_multiple_of(2) {
            return None;
        }
        let [upper, lower, span, value, time] = self
            .fields
            .each_ref()
            .map(|field| field.load(Ordering::Acquire));
        let after = self.sequence.load(Ordering::Relaxed);
        (before == after).then(|| Exemplar {
            span: SpanIds {
                trace: u128::from(upper) << 64 | u128::from(lower),
                span,
            },
            value: f64::from_bits(value),
            time,
        })
    }
}
