//! What the exporters do not pass on: what a receiver took only in part.
//!
//! Whoever reads the answer notes it, on the thread of the export, and it is taken when the export is settled.

use std::cell::Cell;

/// Items that a receiver did not take, though it answered that all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) items: u64,
    pub(crate) reason: String,
}

impl Rejection {
    /// What an answer says of a part, unless it says nothing.
    pub(crate) fn of(items: i64, reason: String) -> Option<Self> {
        let items = u64::try_from(items).unwrap_or_default();
        (items > 0 || !reason.is_empty()).then_some(Self { items, reason })
    }
}

thread_local! {
    static NOTED: Cell<Option<Rejection>> = const { Cell::new(None) };
}

/// Notes what the answer to an export on this thread says.
pub(crate) fn note(rejection: Option<Rejection>) {
    NOTED.set(rejection);
}

/// What was noted since the last time, on this thread.
pub(super) fn take() -> Option<Rejection> {
    NOTED.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_taken_once() {
        let rejection = Rejection::of(3, "too old".to_owned());
        note(rejection.clone());
        assert!(rejection.is_some());
        assert_eq!(take(), rejection);
        assert_eq!(take(), None);
    }

    #[test]
    fn a_reason_without_items_is_told_too_and_nothing_is_nothing() {
        assert!(Rejection::of(0, "slow down".to_owned()).is_some());
        assert_eq!(Rejection::of(0, String::new()), None);
    }
}
