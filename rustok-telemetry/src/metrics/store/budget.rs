//! A label's budget: the distinct values that it may take.

use std::{
    hash::BuildHasher,
    sync::{Arc, LazyLock},
};

use foldhash::fast::RandomState;

use super::read_table::ReadTable;
use crate::metrics::{Label, OTHER};

/// The values of one label of one metric that have been admitted so far. Judging takes no lock.
///
/// Values are never forgotten: the series that carry them stay for the life of the process.
pub(crate) struct LabelBudget {
    limit: usize,
    admitted: ReadTable<Arc<str>>,
}

/// What becomes of a label's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BudgetDecision {
    /// It has been admitted before.
    Admitted,
    /// It is new, and there is room for it.
    Room,
    /// It is new, and the budget is spent: it becomes [`OTHER`].
    Spent,
}

impl LabelBudget {
    pub(crate) fn new(label: &Label) -> Self {
        Self {
            limit: label.budget,
            admitted: ReadTable::new(label.budget),
        }
    }

    pub(crate) fn judge(&self, value: &str, hasher: &RandomState) -> BudgetDecision {
        // In this order: a value that fills the budget at this moment must not be taken for one too many.
        let room = self.admitted.len() < self.limit;
        if value == OTHER || self.admitted(value, hasher).is_some() {
            BudgetDecision::Admitted
        } else if room {
            BudgetDecision::Room
        } else {
            BudgetDecision::Spent
        }
    }

    /// The value as it is kept, once for all series; admitted if it is new and there is room. One thread at a time.
    pub(crate) fn admit(&self, value: &str, hasher: &RandomState) -> Arc<str> {
        static FOLDED: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(OTHER));
        if value == OTHER {
            return Arc::clone(&FOLDED);
        }
        if let Some(admitted) = self.admitted(value, hasher) {
            return Arc::clone(admitted);
        }
        let admitted: Arc<str> = Arc::from(value);
        self.admitted
            .insert(hash(value, hasher), Arc::clone(&admitted));
        admitted
    }

    fn admitted(&self, value: &str, hasher: &RandomState) -> Option<&Arc<str>> {
        self.admitted
            .find(hash(value, hasher), |own| **own == *value)
    }
}

/// With the high half in the low one, as in `label_key.rs`.
fn hash(value: &str, hasher: &RandomState) -> u64 {
    let hash = hasher.hash_one(value);
    hash ^ hash >> 32
}
