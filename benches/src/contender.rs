//! What takes part in a comparison.

use crate::label_sets::LabelSets;

/// Records on label sets: from which on, and how many.
type Record = dyn Fn(&LabelSets, usize, usize) + Sync;

/// A way to record, by name, and what it holds afterwards.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    record: Box<Record>,
    record_each: Box<dyn Fn(&LabelSets) + Sync>,
    held: Option<Box<dyn Fn() -> u64 + Sync>>,
}

impl Contender {
    /// `record` gets a label set and its number. `held` gives the sum of what was recorded.
    pub(crate) fn new(
        name: &'static str,
        record: impl Fn([&str; 2], usize) + Clone + Sync + 'static,
        held: impl Fn() -> u64 + Sync + 'static,
    ) -> Self {
        let once = record.clone();
        Self {
            name,
            record_each: Box::new(move |sets| {
                sets.iter().for_each(|(set, labels)| once(labels, set));
            }),
            // The loop is compiled together with what it calls; only its start is a call through a pointer.
            record: Box::new(move |sets, first, count| {
                for visit in first..first + count {
                    let (set, labels) = sets.visit(visit);
                    record(labels, set);
                }
            }),
            held: Some(Box::new(held)),
        }
    }

    /// Something that keeps nothing.
    pub(crate) fn unchecked(
        name: &'static str,
        act: impl Fn([&str; 2], usize) + Clone + Sync + 'static,
    ) -> Self {
        Self {
            held: None,
            ..Self::new(name, act, || 0)
        }
    }

    /// The same under another name, with all records of a call made within `around`.
    pub(crate) fn around(
        self,
        name: &'static str,
        around: impl Fn(&mut dyn FnMut()) + Clone + Sync + 'static,
    ) -> Self {
        let (record, record_each, around_each) = (self.record, self.record_each, around.clone());
        Self {
            name,
            record: Box::new(move |sets, first, count| {
                around(&mut || record(sets, first, count));
            }),
            record_each: Box::new(move |sets| around_each(&mut || record_each(sets))),
            held: self.held,
        }
    }

    /// Makes `count` records, from the visit number `first` on.
    pub(crate) fn record(&self, sets: &LabelSets, first: usize, count: usize) {
        (self.record)(sets, first, count);
    }

    /// Makes one record for each set.
    pub(crate) fn record_each(&self, sets: &LabelSets) {
        (self.record_each)(sets);
    }

    /// The sum of what was recorded, if anything is kept.
    pub(crate) fn held(&self) -> Option<u64> {
        self.held.as_ref().map(|held| held())
    }
}
