//! Label budgets, which limit the distinct values of a label.

use std::{
    hash::BuildHasher,
    sync::{Arc, LazyLock},
};

use foldhash::fast::RandomState;

use super::read_table::ReadTable;
use crate::metrics::{Label, OTHER};

/// The admitted values of one label of one metric. [`check`](Self::check) takes no lock.
///
/// Values are never removed, because their series live as long as the process.
pub(crate) struct LabelBudget {
    limit: usize,
    admitted: ReadTable<Arc<str>>,
}

/// Whether a label value is within its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BudgetDecision {
    /// The value has been admitted.
    Admitted,
    /// The value is new and within the budget.
    Room,
    /// The value is new and the budget is exhausted: it is folded to [`OTHER`].
    Exhausted,
}

impl LabelBudget {
    pub(crate) fn new(label: &Label) -> Self {
        Self {
            limit: label.budget,
            admitted: ReadTable::new(label.budget),
        }
    }

    pub(crate) fn check(&self, value: &str, hasher: &RandomState) -> BudgetDecision {
        // Length before lookup, so that a value admitted in between as the last one is found.
        let room = self.admitted.len() < self.limit;
        if value == OTHER || self.admitted(value, hasher).is_some() {
            BudgetDecision::Admitted
        } else if room {
            BudgetDecision::Room
        } else {
            BudgetDecision::Exhausted
        }
    }

    /// Returns the value as the series share it, and admits it if it is new and within the budget. Callers hold the
    /// admission lock.
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

/// Mixes the high half into the low one, like [`short_hash`](super::label_key::short_hash).
fn hash(value: &str, hasher: &RandomState) -> u64 {
    let hash = hasher.hash_one(value);
    hash ^ hash >> 32
}
