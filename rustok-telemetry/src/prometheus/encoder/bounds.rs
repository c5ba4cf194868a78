//! Upper bounds of buckets as text, made once for all series that have the same.

use std::fmt::Write;

/// The bounds of the histogram that is being written.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    values: Vec<f64>,
    /// All of them, each with what follows it in its line: `0.5"} `.
    text: String,
    ends: Vec<usize>,
}

impl Bounds {
    /// Makes these bounds the current ones.
    pub(crate) fn set(&mut self, bounds: &[f64]) {
        if self
            .values
            .iter()
            .map(|bound| bound.to_bits())
            .eq(bounds.iter().map(|bound| bound.to_bits()))
        {
            return;
        }
        self.values.clear();
        self.text.clear();
        self.ends.clear();
        self.values.extend_from_slice(bounds);
        for bound in bounds {
            let _ = write!(self.text, "{bound}\"}} ");
            self.ends.push(self.text.len());
        }
    }

    /// The text of each, up to the number in its line.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.text[start..*end])
    }

    /// Whether the last bucket is among them.
    pub(crate) fn has_infinity(&self) -> bool {
        self.values.contains(&f64::INFINITY)
    }
}
