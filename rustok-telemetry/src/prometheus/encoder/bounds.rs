//! Upper bounds of buckets as text, formatted once for consecutive series with the same bounds.

use std::fmt::Write;

/// The bounds of the current histogram.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    values: Vec<f64>,
    /// The concatenated texts, each up to the count in its line: `0.5"} `.
    text: String,
    ends: Vec<usize>,
}

impl Bounds {
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

    /// Returns the text of each bound, up to the count in its line.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.text[start..*end])
    }

    pub(crate) fn has_infinity(&self) -> bool {
        self.values.contains(&f64::INFINITY)
    }
}
