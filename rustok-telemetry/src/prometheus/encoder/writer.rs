//! Writes families of samples: `# HELP`, `# TYPE`, and the lines of each series, ordered by labels.
//!
//! Series are added in an arbitrary order, which is mostly that of the previous text. The permutation that sorts them
//! is therefore kept from one text to the next, so that sorting again is mostly a check.

use std::{collections::HashMap, ops::Range};

use super::{bounds::Bounds, families::Candidate, numbers};
use crate::metrics::store::{
    distribution::{Distribution, NumberValue},
    point::{Point, push_escaped},
};

#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
    /// Length of the previous text, in bytes.
    length: usize,
    bounds: Bounds,
    /// Common prefix of a histogram's bucket lines.
    prefix: String,
    /// The series of the current family, in the order of insertion.
    series: Vec<Lines>,
    /// The sorted lines of the current family.
    sorted: String,
    /// For each family of several series: their sorted indices.
    orders: HashMap<Box<str>, Vec<usize>>,
}

#[derive(Debug)]
struct Lines {
    all: Range<usize>,
    /// The labels in the first line.
    labels: Range<usize>,
}

/// Number of skipped series of a family, whose labels another series has.
pub(crate) type Duplicates = usize;

impl Writer {
    pub(crate) fn begin(&mut self) {
        // With room for some new series.
        self.text = String::with_capacity(self.length + self.length / 8);
    }

    /// Writes a family with the head of its first metric, unless it has no series.
    pub(crate) fn family(
        &mut self,
        first: &Candidate<'_>,
        write: impl FnOnce(&mut Family<'_>),
    ) -> Duplicates {
        let start = self.text.len();
        self.push_head(first);
        self.series.clear();
        write(&mut Family {
            name: &first.name,
            writer: self,
        });
        if self.series.is_empty() {
            self.text.truncate(start);
        }
        match self.series.len() {
            0 | 1 => 0,
            _ => self.sort(&first.name),
        }
    }

    /// Returns the text. Frees large buffers, so that the memory of a scrape is not held until the next one.
    pub(crate) fn end(&mut self) -> String {
        self.length = self.text.len();
        self.series = Vec::new();
        self.sorted = String::new();
        std::mem::take(&mut self.text)
    }

    fn push_head(&mut self, Candidate { name, metric }: &Candidate<'_>) {
        let (help, kind) = (metric.help, metric.kind.prometheus_type());
        if !help.is_empty() {
            push_all(&mut self.text, ["# HELP ", name, " "]);
            push_escaped(&mut self.text, help, &['\\', '\n']);
            self.text.push('\n');
        }
        push_all(&mut self.text, ["# TYPE ", name, " ", kind, "\n"]);
    }

    /// Sorts the series of the family by labels. Of those with the same labels, the first inserted stays.
    fn sort(&mut self, name: &str) -> Duplicates {
        let (text, series) = (&self.text, &self.series);
        let labels = |at: usize| &text[series[at].labels.clone()];
        let order = self.orders.entry(name.into()).or_default();
        if order.len() != series.len() {
            order.clear();
            order.extend(0..series.len());
        }
        order.sort_unstable_by(|&a, &b| labels(a).cmp(labels(b)).then(a.cmp(&b)));
        let is_duplicate = |at: usize| at > 0 && labels(order[at]) == labels(order[at - 1]);
        let duplicates = (0..order.len()).filter(|&at| is_duplicate(at)).count();
        if duplicates == 0 && order.is_sorted() {
            return 0;
        }
        let start = series[0].all.start;
        self.sorted.clear();
        for (at, &index) in order.iter().enumerate() {
            if !is_duplicate(at) {
                self.sorted.push_str(&text[series[index].all.clone()]);
            }
        }
        self.text.truncate(start);
        self.text.push_str(&self.sorted);
        duplicates
    }
}

/// Receives the series of a family.
pub(crate) struct Family<'writer> {
    name: &'writer str,
    writer: &'writer mut Writer,
}

impl Family<'_> {
    /// Writes a series. `labels` is the text between the braces.
    pub(crate) fn series(&mut self, labels: &str, point: &Point) {
        match point {
            Point::Number(number) => self.number(labels, *number),
            Point::Histogram(all) => self.histogram(labels, all),
        }
    }

    fn number(&mut self, labels: &str, number: NumberValue) {
        let text = &mut self.writer.text;
        let start = text.len();
        text.push_str(self.name);
        let mut begin = text.len();
        if !labels.is_empty() {
            begin += 1;
            push_all(text, ["{", labels, "}"]);
        }
        let labels = begin..begin + labels.len();
        text.push(' ');
        push_number(text, number);
        let all = start..text.len();
        self.writer.series.push(Lines { all, labels });
    }

    fn histogram(&mut self, labels: &str, all: &Distribution) {
        let Writer {
            text,
            bounds: texts,
            prefix,
            series,
            ..
        } = &mut *self.writer;
        let (name, start) = (self.name, text.len());
        texts.set(&all.boundaries);
        prefix.clear();
        push_all(prefix, [name, "_bucket{", labels]);
        let begin = start + prefix.len() - labels.len();
        let labels_at = begin..begin + labels.len();
        let comma = if labels.is_empty() { "" } else { "," };
        push_all(prefix, [comma, "le=\""]);
        let mut cumulative = 0;
        for (bound, count) in texts.texts().zip(&all.counts) {
            cumulative += count;
            push_all(text, [prefix, bound]);
            push_number(text, cumulative);
        }
        if !texts.has_infinity() {
            push_all(text, [prefix, "+Inf\"} "]);
            push_number(text, all.count);
        }
        let (open, close) = match labels.is_empty() {
            true => ("", ""),
            false => ("{", "}"),
        };
        push_all(text, [name, "_sum", open, labels, close, " "]);
        push_number(text, all.sum);
        push_all(text, [name, "_count", open, labels, close, " "]);
        push_number(text, all.count);
        series.push(Lines {
            all: start..text.len(),
            labels: labels_at,
        });
    }
}

fn push_number(text: &mut String, number: impl Into<NumberValue>) {
    numbers::push(text, number.into());
    text.push('\n');
}

fn push_all<const N: usize>(text: &mut String, parts: [&str; N]) {
    parts.into_iter().for_each(|part| text.push_str(part));
}
