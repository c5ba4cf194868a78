//! Writes families of samples: `# HELP`, `# TYPE`, and the lines of each series, ordered by labels.
//!
//! Series are added in an arbitrary order, which is mostly that of the previous text. The permutation that sorts them
//! is therefore kept from one text to the next, so that sorting again is mostly a check.

use std::{collections::HashMap, ops::Range};

use super::{Format, bounds::Bounds, families::Candidate, numbers, openmetrics::push_exemplar};
use crate::metrics::store::{
    distribution::{Distribution, NumberValue},
    exemplars::Exemplar,
    point::{Point, SPECIAL, push_escaped},
};

#[derive(Debug)]
pub(crate) struct Writer {
    format: Format,
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

/// The lines before the samples of a family.
pub(crate) struct Head<'text> {
    pub(crate) name: &'text str,
    pub(crate) help: &'text str,
    /// The type.
    pub(crate) kind: &'static str,
    /// The unit; empty for none.
    pub(crate) unit: &'static str,
}

impl<'text> Head<'text> {
    /// Returns the head that the first metric of a family has in the Prometheus text.
    pub(crate) fn of(first: &'text Candidate<'_>) -> Self {
        Self {
            name: &first.name,
            help: first.metric.help,
            kind: first.metric.kind.prometheus_type(),
            unit: "",
        }
    }
}

/// Number of skipped series of a family, whose labels another series has.
pub(crate) type Duplicates = usize;

impl Writer {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            text: String::new(),
            length: 0,
            bounds: Bounds::default(),
            prefix: String::new(),
            series: Vec::new(),
            sorted: String::new(),
            orders: HashMap::new(),
        }
    }

    pub(crate) fn begin(&mut self) {
        // With room for some new series.
        self.text = String::with_capacity(self.length + self.length / 8);
    }

    /// Writes a family whose samples have this name, unless it has no series.
    pub(crate) fn family(
        &mut self,
        head: &Head<'_>,
        name: &str,
        write: impl FnOnce(&mut Family<'_>),
    ) -> Duplicates {
        let start = self.text.len();
        self.push_head(head);
        self.series.clear();
        write(&mut Family {
            name,
            has_exemplars: head.kind != "unknown",
            writer: self,
        });
        if self.series.is_empty() {
            self.text.truncate(start);
        }
        match self.series.len() {
            0 | 1 => 0,
            _ => self.sort(name),
        }
    }

    /// Returns the text. Frees large buffers, so that the memory of a scrape is not held until the next one.
    pub(crate) fn end(&mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.length = self.text.len();
        self.series = Vec::new();
        self.sorted = String::new();
        std::mem::take(&mut self.text)
    }

    fn push_head(&mut self, head: &Head<'_>) {
        let Head {
            name,
            help,
            kind,
            unit,
        } = *head;
        if !help.is_empty() {
            push_all(&mut self.text, ["# HELP ", name, " "]);
            let special = match self.format {
                Format::Prometheus => &['\\', '\n'][..],
                Format::OpenMetrics => SPECIAL,
            };
            push_escaped(&mut self.text, help, special);
            self.text.push('\n');
        }
        push_all(&mut self.text, ["# TYPE ", name, " ", kind, "\n"]);
        if !unit.is_empty() {
            push_all(&mut self.text, ["# UNIT ", name, " ", unit, "\n"]);
        }
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
    has_exemplars: bool,
    writer: &'writer mut Writer,
}

impl Family<'_> {
    /// Writes a series. `labels` is the text between the braces; each exemplar has its bucket.
    pub(crate) fn series(&mut self, labels: &str, point: &Point, exemplars: &[(usize, Exemplar)]) {
        let exemplars = if self.has_exemplars { exemplars } else { &[] };
        match point {
            Point::Number(number) => self.number(labels, *number, exemplars),
            Point::Histogram(all) => self.histogram(labels, all, exemplars),
        }
    }

    fn number(&mut self, labels: &str, number: NumberValue, exemplars: &[(usize, Exemplar)]) {
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
        push_sample(text, number, exemplars, 0);
        let all = start..text.len();
        self.writer.series.push(Lines { all, labels });
    }

    fn histogram(&mut self, labels: &str, all: &Distribution, exemplars: &[(usize, Exemplar)]) {
        let Writer {
            format,
            text,
            bounds: texts,
            prefix,
            series,
            ..
        } = &mut *self.writer;
        let (name, start) = (self.name, text.len());
        let canonical = *format == Format::OpenMetrics;
        texts.set(&all.boundaries, canonical);
        prefix.clear();
        push_all(prefix, [name, "_bucket{", labels]);
        let begin = start + prefix.len() - labels.len();
        let labels_at = begin..begin + labels.len();
        let comma = if labels.is_empty() { "" } else { "," };
        push_all(prefix, [comma, "le=\""]);
        let mut cumulative = 0;
        for (at, (bound, count)) in texts.texts().zip(&all.counts).enumerate() {
            cumulative += count;
            push_all(text, [prefix, bound]);
            push_sample(text, cumulative, exemplars, at);
        }
        if !texts.has_infinity() {
            push_all(text, [prefix, "+Inf\"} "]);
            push_sample(text, all.count, exemplars, all.boundaries.len());
        }
        let (open, close) = match labels.is_empty() {
            true => ("", ""),
            false => ("{", "}"),
        };
        // OpenMetrics forbids both with negative bounds, because the sum may go down.
        if !canonical || all.boundaries.first().is_none_or(|bound| *bound >= 0.0) {
            push_all(text, [name, "_sum", open, labels, close, " "]);
            push_sample(text, all.sum, &[], 0);
            push_all(text, [name, "_count", open, labels, close, " "]);
            push_sample(text, all.count, &[], 0);
        }
        series.push(Lines {
            all: start..text.len(),
            labels: labels_at,
        });
    }
}

/// Ends the line of a sample: its number, and the exemplar of this bucket if there is one.
fn push_sample(
    text: &mut String,
    number: impl Into<NumberValue>,
    exemplars: &[(usize, Exemplar)],
    bucket: usize,
) {
    numbers::push(text, number.into());
    if let Some((_, exemplar)) = exemplars.iter().find(|(at, _)| *at == bucket) {
        push_exemplar(text, exemplar);
    }
    text.push('\n');
}

fn push_all<const N: usize>(text: &mut String, parts: [&str; N]) {
    parts.into_iter().for_each(|part| text.push_str(part));
}
