//! A label's budget: the distinct values that it may take.

use hashbrown::HashSet;

use super::{Label, OTHER};

/// The values of one label of one metric that have been admitted so far.
///
/// Values are never forgotten: the series that carry them stay for the life of the process.
#[derive(Debug)]
pub(super) struct LabelBudget {
    limit: usize,
    admitted: HashSet<Box<str>, foldhash::fast::RandomState>,
}

/// What becomes of a label's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has been admitted before.
    Admitted,
    /// It is new, and there is room for it.
    Room,
    /// It is new, and the budget is spent: it becomes [`OTHER`].
    Spent,
}

impl LabelBudget {
    pub(super) fn new(label: &Label) -> Self {
        Self {
            limit: label.budget,
            admitted: HashSet::default(),
        }
    }

    pub(super) fn judge(&self, value: &str) -> Verdict {
        if value == OTHER || self.admitted.contains(value) {
            Verdict::Admitted
        } else if self.admitted.len() < self.limit {
            Verdict::Room
        } else {
            Verdict::Spent
        }
    }

    /// Admits a value that was judged to have room.
    pub(super) fn admit(&mut self, value: &str) {
        debug_assert!(self.admitted.len() < self.limit);
        self.admitted.insert(value.into());
    }
}
