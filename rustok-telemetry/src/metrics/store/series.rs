//! The series of one metric: label values → cell.
//!
//! Recording on a known label set takes no lock: it looks the set up without allocating, and writes to its cell. A new
//! label set is admitted by one thread at a time, and needs nothing of the SDK; but where the SDK keeps the numbers
//! ([`Storage::Sdk`](crate::metrics::instrument::Storage)), its cell is bound there, which may wait for an export in progress.
//! Recorders of known sets do not wait with it.
//!
//! # When a budget is spent
//!
//! 1. A label whose budget is spent keeps its known values; a new value becomes `other`. The other labels are kept.
//! 2. The number of label sets is bounded too ([`Declaration::series_limit`]). Three quarters of it are for exact
//!    label sets. Once they are taken, a new set has its labels folded one after the other, the one with the largest
//!    budget first, until a set results that exists or has room. The last place is kept for the set in which every
//!    label is `other`, so every record finds a place.
//!
//! The cardinality limit of the OpenTelemetry SDK, where it keeps the numbers, is one higher and is never reached.

use std::{
    array,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::fast::RandomState;
use once_cell::race::OnceBox;
use opentelemetry::{KeyValue, StringValue};

use super::{
    budget::{BudgetDecision, LabelBudget},
    label_key::{self, Key},
    point::{SeriesLabels, VisitSeries},
    read_table::ReadTable,
};
use crate::metrics::{Declaration, MAX_LABEL_VALUE_BYTES, NONE, OTHER, instrument::Instrument};

/// All series of a metric with `N` labels.
pub(crate) struct Series<I: Instrument, const N: usize> {
    declaration: &'static Declaration,
    handle: I::Handle,
    table: Table<I, N>,
    admission: Mutex<()>,
    folds: [AtomicU64; N],
    hasher: RandomState,
}

impl<I: Instrument, const N: usize> Series<I, N> {
    pub(crate) fn new(declaration: &'static Declaration, handle: I::Handle) -> Self {
        Self {
            declaration,
            handle,
            table: Table::new(declaration),
            admission: Mutex::new(()),
            folds: array::from_fn(|_| AtomicU64::new(0)),
            hasher: RandomState::default(),
        }
    }

    /// Records a value under a label set, or under the set that the budgets allow for it.
    #[inline]
    pub(crate) fn record(&self, labels: [&str; N], value: I::Value) {
        match self.table.find_short(&labels, &self.hasher) {
            Some(cell) => I::write(cell, value),
            // A copy, so that the labels can stay in registers where this is not called.
            None => self.record_long(labels.map(|value| value), value),
        }
    }

    /// The cell of a label set that is known as it is.
    pub(crate) fn cell(&self, mut labels: [&str; N]) -> Option<&I::Cell> {
        let cut = normalise(&mut labels);
        let found = self.table.find(&labels, &self.hasher);
        found.filter(|_| cut == 0)
    }

    /// A label set that is not known, or in which a value is long, empty, or not possible.
    #[inline(never)]
    fn record_long(&self, mut labels: [&str; N], value: I::Value) {
        let cut = normalise(&mut labels);
        match self.table.find(&labels, &self.hasher) {
            Some(cell) if cut == 0 => I::write(cell, value),
            _ => self.record_folded_or_new(labels, cut, value),
        }
    }

    /// For each label: its name and how many records were folded into `other`. Calls nothing while there is no series.
    pub(crate) fn visit_folds(&self, visit: &mut dyn FnMut(&'static str, u64)) {
        if self.table.entries.len() == 0 {
            return;
        }
        for (label, folds) in self.declaration.labels.iter().zip(&self.folds) {
            visit(label.name, folds.load(Ordering::Relaxed));
        }
    }

    /// Reads each series, unless the SDK keeps them.
    pub(crate) fn read(&self, visit: VisitSeries<'_>) {
        let names = self.declaration.labels;
        self.table.entries.visit(&mut |entry| {
            if let Some(point) = I::read(&entry.cell) {
                let values = entry.labels.each_ref().map(|value| &**value);
                visit(SeriesLabels::new(names, &values, Some(&entry.text)), point);
            }
        });
    }

    /// A label set that is not known as it is: past a budget, or seen for the first time.
    #[cold]
    fn record_folded_or_new(&self, labels: [&str; N], cut: Folded, value: I::Value) {
        match self.table.place(labels, &self.hasher) {
            Place::Known(cell, folded) => {
                I::write(cell, value);
                self.count_folds(folded | cut);
            }
            Place::New { .. } => self.record_new(labels, cut, value),
        }
    }

    /// First sight of a label set: makes a cell for it and keeps it.
    fn record_new(&self, labels: [&str; N], cut: Folded, value: I::Value) {
        let _one_at_a_time = self
            .admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (labels, folded) = match self.table.place(labels, &self.hasher) {
            Place::Known(cell, folded) => {
                I::write(cell, value);
                return self.count_folds(folded | cut);
            }
            Place::New { labels, folded } => (labels, folded),
        };
        let labels = self.table.admit(labels, &self.hasher);
        let cell = I::cell(&self.handle, &self.attributes(&labels));
        I::write(&cell, value);
        self.count_folds(folded | cut);
        self.table.insert(labels, cell, &self.hasher);
    }

    fn attributes(&self, labels: &[Arc<str>; N]) -> [KeyValue; N] {
        array::from_fn(|i| {
            let value = StringValue::from(Arc::clone(&labels[i]));
            KeyValue::new(self.declaration.labels[i].name, value)
        })
    }

    fn count_folds(&self, folded: Folded) {
        if folded != 0 {
            for (i, folds) in self.folds.iter().enumerate() {
                if folded & bit(i) != 0 {
                    folds.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

/// A set of labels by position: bit `i` stands for label `i`.
type Folded = u32;

fn bit(position: usize) -> Folded {
    1 << position
}

/// Makes values that cannot be label values into ones that can: an empty value means in Prometheus that the label is
/// missing, and a huge one is as harmful as many. Returns the labels that were folded.
fn normalise(labels: &mut [&str]) -> Folded {
    let mut cut = 0;
    for (i, value) in labels.iter_mut().enumerate() {
        if value.is_empty() {
            *value = NONE;
        } else if value.len() > MAX_LABEL_VALUE_BYTES {
            *value = OTHER;
            cut |= bit(i);
        }
    }
    cut
}

struct Table<I: Instrument, const N: usize> {
    entries: ReadTable<Entry<I, N>>,
    budgets: [LabelBudget; N],
    /// Positions of the labels, largest budget first: the order in which they are folded.
    widest_first: [usize; N],
    limits: Limits,
}

/// How many label sets there may be, by how much of them is folded.
struct Limits {
    /// Sets that were recorded as they are.
    exact: usize,
    /// Sets in which some label is `other`.
    folded: usize,
    /// With the set in which every label is `other`.
    all: usize,
}

/// One series. What a record needs comes first: with two labels and a sum, the owner's is one cache line, and all is two.
#[repr(C)]
struct Entry<I: Instrument, const N: usize> {
    key: Key<N>,
    cell: I::Cell,
    labels: [Arc<str>; N],
    /// The labels in Prometheus' text, once they were wanted.
    text: OnceBox<Box<str>>,
}

/// Where a record goes.
enum Place<'table, 'labels, I: Instrument, const N: usize> {
    Known(&'table I::Cell, Folded),
    New {
        labels: [&'labels str; N],
        folded: Folded,
    },
}

impl<I: Instrument, const N: usize> Table<I, N> {
    fn new(declaration: &'static Declaration) -> Self {
        let mut widest_first: [usize; N] = array::from_fn(|i| i);
        widest_first.sort_by_key(|&i| std::cmp::Reverse(declaration.labels[i].budget));
        let limits = Limits::of(declaration);
        Self {
            entries: ReadTable::new(limits.all),
            budgets: array::from_fn(|i| LabelBudget::new(&declaration.labels[i])),
            widest_first,
            limits,
        }
    }

    fn place<'labels>(
        &self,
        mut labels: [&'labels str; N],
        hasher: &RandomState,
    ) -> Place<'_, 'labels, I, N> {
        if let Some(cell) = self.find(&labels, hasher) {
            return Place::Known(cell, 0);
        }
        let mut folded = 0;
        for (i, budget) in self.budgets.iter().enumerate() {
            if budget.judge(labels[i], hasher) == BudgetDecision::Spent {
                labels[i] = OTHER;
                folded |= bit(i);
            }
        }
        for &widest in &self.widest_first {
            // In this order: the set that takes the last room at this moment must not be taken for one too many.
            let has_room = self.has_room(&labels, folded);
            if let Some(cell) = self.find(&labels, hasher) {
                return Place::Known(cell, folded);
            }
            if has_room {
                return Place::New { labels, folded };
            }
            if labels[widest] != OTHER {
                labels[widest] = OTHER;
                folded |= bit(widest);
            }
        }
        match self.find(&labels, hasher) {
            Some(cell) => Place::Known(cell, folded),
            None => Place::New { labels, folded },
        }
    }

    fn find(&self, labels: &[&str; N], hasher: &RandomState) -> Option<&I::Cell> {
        let key = label_key::key(labels);
        let hash = label_key::hash(labels, &key, hasher);
        let found = self.entries.find(hash, |entry| {
            let mut pairs = entry.labels.iter().zip(labels);
            label_key::are_equal(&entry.key, &key)
                && pairs.all(|(own, other)| label_key::is_same(own, other))
        });
        found.map(|entry| &entry.cell)
    }

    /// Finds a label set of short values, without looking at more than their ends.
    #[inline]
    fn find_short(&self, labels: &[&str; N], hasher: &RandomState) -> Option<&I::Cell> {
        if !label_key::are_short(labels) {
            return None;
        }
        let key = label_key::key(labels);
        let hash = label_key::short_hash(&key, hasher);
        let found = self
            .entries
            .find(hash, |entry| label_key::are_equal(&entry.key, &key));
        found.map(|entry| &entry.cell)
    }

    fn has_room(&self, labels: &[&str; N], folded: Folded) -> bool {
        let limit = if labels.iter().all(|value| *value == OTHER) {
            self.limits.all
        } else if folded != 0 {
            self.limits.folded
        } else {
            self.limits.exact
        };
        self.entries.len() < limit
    }

    /// The labels as they are kept. One thread at a time.
    fn admit(&self, labels: [&str; N], hasher: &RandomState) -> [Arc<str>; N] {
        array::from_fn(|i| self.budgets[i].admit(labels[i], hasher))
    }

    fn insert(&self, labels: [Arc<str>; N], cell: I::Cell, hasher: &RandomState) {
        let texts = labels.each_ref().map(|label| &**label);
        let key = label_key::key(&texts);
        let hash = label_key::hash(&texts, &key, hasher);
        let entry = Entry {
            key,
            cell,
            labels,
            text: OnceBox::new(),
        };
        let placed = self.entries.insert(hash, entry);
        debug_assert!(placed, "there is always room for the last set");
    }
}

impl Limits {
    fn of(declaration: &Declaration) -> Self {
        let all = declaration.series_limit();
        if declaration.possible_series() <= all {
            return Self {
                exact: all,
                folded: all,
                all,
            };
        }
        Self {
            exact: (all - all / 4).saturating_sub(1),
            folded: all - 1,
            all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::instrument::Counter;

    #[test]
    fn a_record_of_a_counter_needs_one_cache_line() {
        type OfTwo = Entry<Counter<u64>, 2>;
        // Whose the sum is, what its owner added, and where the stripes are, behind a tag.
        assert!(std::mem::offset_of!(OfTwo, cell) + 4 * size_of::<u64>() <= 64);
        let hash = size_of::<u64>();
        assert!(size_of::<OfTwo>() + hash <= 128);
    }
}
