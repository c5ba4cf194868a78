//! The cause of a failed connection.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

/// The cause of a failed connection, which the errors of the HTTP clients do not contain. The connector notes it here.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastFailure(Arc<Mutex<Option<String>>>);

impl LastFailure {
    /// Keeps the error and its sources. Only the first error of an attempt is kept: the others follow from it.
    pub(crate) fn note(&self, error: &dyn Error) {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            source = cause.source();
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert(text);
    }

    pub(crate) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
