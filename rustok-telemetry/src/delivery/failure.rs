//! Why an export failed, as whoever has seen it says.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

/// Why a connection failed. The exporters say no more than "network error", so what connects notes it here.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastFailure(Arc<Mutex<Option<String>>>);

impl LastFailure {
    /// Keeps the error, with what caused it. The first of an attempt tells most: others follow from it.
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

    /// Forgets what was before an attempt.
    pub(crate) fn clear(&self) {
        self.take();
    }

    pub(crate) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
