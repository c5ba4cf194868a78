//! The series of one metric: a table from label values to cells.
//!
//! Recording to a known label set takes no lock: it looks the set up without allocating and writes to its cell. A new
//! label set is admitted under a lock. With [`Storage::Sdk`](crate::metrics::instrument::Storage) the new cell is bound
//! in the SDK, which may wait for an export in progress; records to known sets do not wait.
//!
//! # Label overflow
//!
//! 1. A label with an exhausted budget keeps its known values; a new value is folded to `other`. Other labels are not
//!    affected.
//! 2. The number of series is bounded ([`Declaration::series_limit`]). Three quarters of it are for exact label sets.
//!    Beyond that, the labels of a new set are folded one after the other, the one with the largest budget first, until
//!    the set exists or there is room for it. The last place is reserved for the set in which every label is `other`,
//!    so that no record is dropped.
//!
//! With SDK storage, the SDK's cardinality limit is one higher and is never reached.

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
    exemplars::{Exemplar, Exemplars},
    label_key::{self, Key},
    point::{SeriesLabels, VisitSeries},
    read_table::ReadTable,
};
use crate::metrics::{
    Declaration, Label, MAX_LABEL_VALUE_BYTES, NONE, OTHER, instrument::Instrument, naming,
    registered::Readable,
};

/// All series of a metric with `N` labels.
pub(crate) struct Series<I: Instrument, const N: usize> {
    /// In effect: with one label less if one is omitted.
    declaration: &'static Declaration,
    /// Position of the omitted label, whose value is always `other` within the table.
    omitted: Option<usize>,
    handle: I::Handle,
    table: Table<I, N>,
    admission: Mutex<()>,
    folds: [AtomicU64; N],
    hasher: RandomState,
}

impl<I: Instrument, const N: usize> Series<I, N> {
    /// Creates the series of a declared metric, with the labels in effect.
    pub(crate) fn new(declared: &'static Declaration, handle: I::Handle) -> Self {
        let declaration = naming::in_effect(declared);
        Self {
            declaration,
            omitted: naming::omitted(declared, declaration),
            handle,
            table: Table::new(declared.labels, Limits::of(declaration)),
            admission: Mutex::new(()),
            folds: array::from_fn(|_| AtomicU64::new(0)),
            hasher: RandomState::default(),
        }
    }

    /// Records a value to a label set, folded as the budgets require.
    #[inline]
    pub(crate) fn record(&self, labels: [&str; N], value: I::Value) {
        match self.table.find_short(&labels, &self.hasher) {
            Some(cell) => I::write(cell, value),
            // A copy, so that on the fast path the labels stay in registers.
            None => self.record_long(labels.map(|value| value), value),
        }
    }

    /// Returns the cell of a known label set in which no value is folded.
    pub(crate) fn cell(&self, mut labels: [&str; N]) -> Option<&I::Cell> {
        let oversized = self.normalise(&mut labels);
        let found = self.table.find(&labels, &self.hasher);
        found.filter(|_| oversized == 0)
    }

    /// Records to a label set that is new, has a label to omit, or has a long, empty or oversized value.
    #[inline(never)]
    fn record_long(&self, labels: [&str; N], value: I::Value) {
        if self.omitted.is_none()
            && label_key::is_any_long(&labels)
            && let Some(cell) = self.table.find(&labels, &self.hasher)
        {
            return I::write(cell, value);
        }
        self.record_normalised(labels, value);
    }

    #[inline(never)]
    fn record_normalised(&self, mut labels: [&str; N], value: I::Value) {
        let oversized = self.normalise(&mut labels);
        match self.table.find(&labels, &self.hasher) {
            Some(cell) if oversized == 0 => I::write(cell, value),
            _ => self.record_folded_or_new(labels, oversized, value),
        }
    }

    /// Visits each label with its number of records folded to `other`. Nothing while there is no series.
    pub(crate) fn visit_folds(&self, visit: &mut dyn FnMut(&'static str, u64)) {
        if self.table.entries.len() == 0 {
            return;
        }
        let mut folds = self.folds.each_ref();
        let folds = self.without_omitted(&mut folds);
        for (label, folds) in self.declaration.labels.iter().zip(folds) {
            visit(label.name, folds.load(Ordering::Relaxed));
        }
    }

    /// Records to a label set that is new or beyond a budget.
    #[cold]
    fn record_folded_or_new(&self, labels: [&str; N], oversized: Folded, value: I::Value) {
        match self.table.place(labels, &self.hasher) {
            Place::Known(cell, folded) => {
                I::write(cell, value);
                self.count_folds(folded | oversized);
            }
            Place::New { .. } => self.record_new(labels, oversized, value),
        }
    }

    /// Creates the series of a label set and records to it.
    fn record_new(&self, labels: [&str; N], oversized: Folded, value: I::Value) {
        let _one_at_a_time = self
            .admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (labels, folded) = match self.table.place(labels, &self.hasher) {
            Place::Known(cell, folded) => {
                I::write(cell, value);
                return self.count_folds(folded | oversized);
            }
            Place::New { labels, folded } => (labels, folded),
        };
        let labels = self.table.admit(labels, &self.hasher);
        let cell = I::cell(&self.handle, &self.attributes(&labels));
        I::write(&cell, value);
        self.count_folds(folded | oversized);
        self.table.insert(labels, cell, &self.hasher);
    }

    fn attributes(&self, labels: &[Arc<str>; N]) -> Vec<KeyValue> {
        let mut labels = labels.each_ref();
        let labels = self.without_omitted(&mut labels).iter();
        let pairs = self.declaration.labels.iter().zip(labels);
        pairs
            .map(|(label, value)| KeyValue::new(label.name, StringValue::from(Arc::clone(value))))
            .collect()
    }

    /// Replaces the value of the omitted label, then empty and oversized values. Returns the folded labels.
    fn normalise(&self, labels: &mut [&str; N]) -> Folded {
        if let Some(omitted) = self.omitted {
            labels[omitted] = OTHER;
        }
        normalise(labels)
    }

    /// Returns the values of all labels but the omitted one, which is moved to the end.
    fn without_omitted<'values, T>(&self, values: &'values mut [T; N]) -> &'values [T] {
        if let Some(omitted) = self.omitted {
            values[omitted..].rotate_left(1);
        }
        &values[..self.declaration.labels.len()]
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

impl<I: Instrument, const N: usize> Readable for Series<I, N> {
    fn declaration(&self) -> &'static Declaration {
        self.declaration
    }

    fn read(&self, visit: VisitSeries<'_>) {
        self.table.entries.visit(&mut |entry| {
            if let Some(point) = I::read(&entry.cell) {
                let mut values = entry.labels.each_ref().map(|value| &**value);
                let values = self.without_omitted(&mut values);
                let exemplars = I::exemplars(&entry.cell);
                let names = self.declaration.labels;
                let labels = SeriesLabels::new(names, values, &entry.text, exemplars);
                visit(labels, point);
            }
        });
    }

    fn exemplars(&self, labels: &[&str]) -> Vec<(usize, Exemplar)> {
        let mut all = [OTHER; N];
        if labels.len() != self.declaration.labels.len() {
            return Vec::new();
        }
        all[..labels.len()].copy_from_slice(labels);
        if let Some(omitted) = self.omitted {
            all[omitted..].rotate_right(1);
        }
        let exemplars = self.cell(all).and_then(I::exemplars);
        exemplars.map(Exemplars::read).unwrap_or_default()
    }
}

/// The folded labels: bit `i` stands for label `i`.
type Folded = u32;

fn bit(position: usize) -> Folded {
    1 << position
}

/// Replaces empty values, which Prometheus takes for missing labels, and folds oversized ones. Returns the folded
/// labels.
fn normalise(labels: &mut [&str]) -> Folded {
    let mut oversized = 0;
    for (i, value) in labels.iter_mut().enumerate() {
        if value.is_empty() {
            *value = NONE;
        } else if value.len() > MAX_LABEL_VALUE_BYTES {
            *value = OTHER;
            oversized |= bit(i);
        }
    }
    oversized
}

struct Table<I: Instrument, const N: usize> {
    entries: ReadTable<Entry<I, N>>,
    budgets: [LabelBudget; N],
    /// Positions of the labels in the order in which they are folded: largest budget first.
    widest_first: [usize; N],
    limits: Limits,
}

/// Size of the table up to which a label set is inserted.
struct Limits {
    /// For sets without a folded label.
    exact: usize,
    /// For sets with a folded label.
    folded: usize,
    /// For the set in which every label is `other`.
    all: usize,
}

/// One series. The fields of a record come first: for a sum with two labels, the owner's part is in one cache line, and
/// the whole entry in two.
#[repr(C)]
struct Entry<I: Instrument, const N: usize> {
    key: Key<N>,
    cell: I::Cell,
    labels: [Arc<str>; N],
    /// The labels in the Prometheus text, created on first use.
    text: OnceBox<Box<str>>,
}

/// The series of a record.
enum Place<'table, 'labels, I: Instrument, const N: usize> {
    Known(&'table I::Cell, Folded),
    New {
        labels: [&'labels str; N],
        folded: Folded,
    },
}

impl<I: Instrument, const N: usize> Table<I, N> {
    fn new(labels: &[Label], limits: Limits) -> Self {
        let mut widest_first: [usize; N] = array::from_fn(|i| i);
        widest_first.sort_by_key(|&i| std::cmp::Reverse(labels[i].budget));
        Self {
            entries: ReadTable::new(limits.all),
            budgets: array::from_fn(|i| LabelBudget::new(&labels[i])),
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
            if budget.check(labels[i], hasher) == BudgetDecision::Exhausted {
                labels[i] = OTHER;
                folded |= bit(i);
            }
        }
        for &widest in &self.widest_first {
            // Room before lookup, so that a set inserted in between as the last one is found.
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

    #[inline]
    fn find(&self, labels: &[&str; N], hasher: &RandomState) -> Option<&I::Cell> {
        let key = label_key::key(labels);
        let hash = label_key::hash(labels, &key, hasher);
        let found = self
            .entries
            .find_hashed(hash, |entry| label_key::are_equal(&entry.key, &key));
        found.map(|entry| &entry.cell)
    }

    /// Finds a label set of short values by its key alone.
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

    /// Returns the shared label values. Callers hold the admission lock.
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
        debug_assert!(placed, "the last place is reserved");
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
        type TwoLabels = Entry<Counter<u64>, 2>;
        // The tag of `Stored`, the owner, its part and the pointer to the stripes.
        assert!(std::mem::offset_of!(TwoLabels, cell) + 4 * size_of::<u64>() <= 64);
        let hash = size_of::<u64>();
        assert!(size_of::<TwoLabels>() + hash <= 128);
    }
}
