//! Text that is searched for, whatever the case of its letters.

/// What is searched for; empty for everything.
#[derive(Debug, Default)]
pub(super) struct Search(String);

impl Search {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn finds(&self, text: &str) -> bool {
        self.is_empty() || text.to_lowercase().contains(&self.0)
    }
}
