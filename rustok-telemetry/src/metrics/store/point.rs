//! A series as readers see it: its labels and its value.

use once_cell::race::OnceBox;

use super::{
    distribution::{Distribution, NumberValue},
    exemplars::{Exemplar, Exemplars},
};
use crate::metrics::Label;

/// The value of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Point {
    /// Of a counter or a gauge.
    Number(NumberValue),
    /// Of a histogram.
    Histogram(Distribution),
}

/// Receives each series of a metric.
pub type VisitSeries<'a> = &'a mut dyn FnMut(SeriesLabels<'_>, Point);

/// The labels of a series, and its exemplars.
#[derive(Debug, Clone, Copy)]
pub struct SeriesLabels<'series> {
    names: &'static [Label],
    values: &'series [&'series str],
    cache: &'series OnceBox<Box<str>>,
    exemplars: Option<&'series Exemplars>,
}

impl<'series> SeriesLabels<'series> {
    /// Creates the labels of a series. `cache` stores their text form.
    pub(crate) fn new(
        names: &'static [Label],
        values: &'series [&'series str],
        cache: &'series OnceBox<Box<str>>,
        exemplars: Option<&'series Exemplars>,
    ) -> Self {
        Self {
            names,
            values,
            cache,
            exemplars,
        }
    }

    /// Returns the exemplars of the series, each with its bucket; 0 for a counter.
    pub fn exemplars(&self) -> Vec<(usize, Exemplar)> {
        self.exemplars.map(Exemplars::read).unwrap_or_default()
    }

    /// Returns an address that this series alone has, as long as the process lives.
    #[cfg(feature = "console")]
    pub(crate) fn identity(&self) -> usize {
        std::ptr::from_ref(self.cache).addr()
    }

    /// Returns names and values, in the order of the declaration.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'series str)> {
        let names = self.names.iter().map(|label| label.name);
        names.zip(self.values.iter().copied())
    }

    /// Returns the labels as in the Prometheus text between the braces: escaped, and ordered by name.
    pub fn text(&self) -> &'series str {
        self.cache.get_or_init(|| Box::new(self.escaped().into()))
    }

    fn escaped(&self) -> String {
        let mut labels: Vec<_> = self.iter().collect();
        labels.sort_unstable_by_key(|(name, _)| *name);
        let mut text = String::new();
        for (name, value) in labels {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(name);
            text.push_str("=\"");
            push_escaped(&mut text, value, SPECIAL);
            text.push('"');
        }
        text
    }
}

/// The characters that are escaped in label values.
pub(crate) const SPECIAL: &[char] = &['\\', '"', '\n'];

/// Appends a text, with special characters escaped as in the Prometheus text format, version 0.0.4.
pub(crate) fn push_escaped(text: &mut String, value: &str, special: &[char]) {
    for part in value.split_inclusive(special) {
        let plain = part.strip_suffix(special).unwrap_or(part);
        text.push_str(plain);
        match &part[plain.len()..] {
            "" => {}
            "\n" => text.push_str("\\n"),
            other => text.extend(["\\", other]),
        }
    }
}
