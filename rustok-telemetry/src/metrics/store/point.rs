//! A series as readers see it: its labels and its value.

use std::borrow::Cow;

use once_cell::race::OnceBox;

use super::distribution::Distribution;
use crate::metrics::Label;

/// The value of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Point {
    /// An unsigned integer.
    U64(u64),
    /// A signed integer.
    I64(i64),
    /// A floating-point number.
    F64(f64),
    /// A histogram.
    Histogram(Distribution),
}

/// Receives each series of a metric.
pub type VisitSeries<'a> = &'a mut dyn FnMut(SeriesLabels<'_>, Point);

/// The labels of a series.
#[derive(Debug, Clone, Copy)]
pub struct SeriesLabels<'series> {
    names: &'static [Label],
    values: &'series [&'series str],
    cache: Option<&'series OnceBox<Box<str>>>,
}

impl<'series> SeriesLabels<'series> {
    /// Creates the labels of a series. `cache` stores their text form.
    pub(crate) fn new(
        names: &'static [Label],
        values: &'series [&'series str],
        cache: Option<&'series OnceBox<Box<str>>>,
    ) -> Self {
        Self {
            names,
            values,
            cache,
        }
    }

    /// Returns names and values, in the order of the declaration.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'series str)> {
        let names = self.names.iter().map(|label| label.name);
        names.zip(self.values.iter().copied())
    }

    /// Returns the labels as in the Prometheus text between the braces: escaped, and ordered by name.
    pub fn text(&self) -> Cow<'series, str> {
        match self.cache {
            Some(cache) => Cow::Borrowed(cache.get_or_init(|| Box::new(self.escaped().into()))),
            None => Cow::Owned(self.escaped()),
        }
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
            push_escaped(&mut text, value);
            text.push('"');
        }
        text
    }
}

/// Appends a label value, escaped for the Prometheus text format, version 0.0.4.
pub(crate) fn push_escaped(text: &mut String, value: &str) {
    for part in value.split_inclusive(['\\', '"', '\n']) {
        let (plain, special) = match part.char_indices().next_back() {
            Some((at, special @ ('\\' | '"' | '\n'))) => (&part[..at], Some(special)),
            _ => (part, None),
        };
        text.push_str(plain);
        match special {
            Some('\n') => text.push_str("\\n"),
            Some(special) => text.extend(['\\', special]),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_ordered_by_name() {
        const NAMES: &[Label] = &[
            Label {
                name: "tenant_id",
                budget: 1,
            },
            Label {
                name: "event_type",
                budget: 1,
            },
        ];
        let cache = OnceBox::new();
        let labels = SeriesLabels::new(NAMES, &["a\\b", "\"x\"\nä"], Some(&cache));
        let expected = r#"event_type="\"x\"\nä",tenant_id="a\\b""#;
        assert_eq!(labels.text(), expected);
        assert_eq!(cache.get().map(|text| &**text), Some(expected));
        assert_eq!(
            SeriesLabels::new(NAMES, &["", "\\"], None).text(),
            r#"event_type="\\",tenant_id="""#
        );
    }
}
