//! The name that a span is given.

/// A name in a buffer that is used again.
#[derive(Debug, Default)]
pub(super) struct SpanName {
    text: String,
    is_set: bool,
}

/// Capacity that a buffer keeps.
const LARGEST_KEPT: usize = 1 << 10;

impl SpanName {
    pub(super) fn set(&mut self, name: &str) {
        self.clear();
        self.text.push_str(name);
        self.is_set = true;
    }

    /// Returns the name, if one has been set.
    pub(super) fn get(&self) -> Option<&str> {
        self.is_set.then_some(&*self.text)
    }

    /// Removes the name, and keeps the memory unless it is large.
    pub(super) fn clear(&mut self) {
        self.is_set = false;
        self.text.clear();
        self.text.shrink_to(LARGEST_KEPT);
    }
}
