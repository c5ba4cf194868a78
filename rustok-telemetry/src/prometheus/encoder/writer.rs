//! Writes families of samples: `# HELP`, `# TYPE`, and the lines of each series, in the order of their labels.
//!
//! Series come in any order, and mostly in the same one as the last time. So the order that they are to have is kept from
//! one text to the next, and putting them in it is a look whether it still holds.

use std::{collections::HashMap, ops::Range};

use super::{bounds::Bounds, numbers::Number};

/// Writes a text, and keeps for the next one what does not change.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
    /// Bytes of the text before.
    length: usize,
    bounds: Bounds,
    /// What the lines of a histogram's buckets have in common.
    prefix: String,
    /// The series of the family that is being written, in the order in which they came.
    series: Vec<Lines>,
    unordered: String,
    /// For each family of several series: which of them is first, second, ….
    orders: HashMap<Box<str>, Vec<usize>>,
}

/// Where a series is in the text.
#[derive(Debug)]
struct Lines {
    all: Range<usize>,
    /// Its labels, in the first of its lines.
    labels: Range<usize>,
}

/// Head of a family.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'head> {
    pub(crate) name: &'head str,
    pub(crate) help: &'head str,
    /// As it is written after `# TYPE`.
    pub(crate) kind: &'static str,
}

/// How many series of a family were left out, since there was one with the same labels before.
pub(crate) type Repeated = usize;

impl Writer {
    /// Begins a text.
    pub(crate) fn begin(&mut self) {
        // With some room for what has come since the one before.
        self.text = String::with_capacity(self.length + self.length / 8);
    }

    /// Writes a family, unless it has no series.
    pub(crate) fn family(
        &mut self,
        head: Head<'_>,
        write: impl FnOnce(&mut Family<'_>),
    ) -> Repeated {
        let start = self.text.len();
        self.push_head(head);
        self.series.clear();
        write(&mut Family {
            name: head.name,
            writer: self,
        });
        if self.series.is_empty() {
            self.text.truncate(start);
        }
        match self.series.len() {
            0 | 1 => 0,
            _ => self.arrange(head.name),
        }
    }

    /// The whole text. What is as large as the text, or grows with the series, is not kept until the next one: memory
    /// that a scrape takes for a moment would be taken for good.
    pub(crate) fn end(&mut self) -> String {
        self.length = self.text.len();
        self.series = Vec::new();
        self.unordered = String::new();
        std::mem::take(&mut self.text)
    }

    fn push_head(&mut self, Head { name, help, kind }: Head<'_>) {
        if !help.is_empty() {
            push_all(&mut self.text, ["# HELP ", name, " "]);
            push_escaped_help(&mut self.text, help);
            self.text.push('\n');
        }
        push_all(&mut self.text, ["# TYPE ", name, " ", kind, "\n"]);
    }

    /// Puts the series of the family in order. Of those with the same labels, the first that came stays.
    fn arrange(&mut self, name: &str) -> Repeated {
        let (text, series) = (&self.text, &self.series);
        let labels = |at: usize| &text[series[at].labels.clone()];
        if !self.orders.contains_key(name) {
            self.orders.insert(name.into(), Vec::new());
        }
        let Some(order) = self.orders.get_mut(name) else {
            return 0;
        };
        if order.len() != series.len() {
            order.clear();
            order.extend(0..series.len());
        }
        order.sort_unstable_by(|&a, &b| labels(a).cmp(labels(b)).then(a.cmp(&b)));
        let is_repeated = |at: usize| at > 0 && labels(order[at]) == labels(order[at - 1]);
        let repeated = (0..order.len()).filter(|&at| is_repeated(at)).count();
        if repeated == 0 && order.is_sorted() {
            return 0;
        }
        let start = series[0].all.start;
        self.unordered.clear();
        for (at, &came) in order.iter().enumerate() {
            if !is_repeated(at) {
                self.unordered.push_str(&text[series[came].all.clone()]);
            }
        }
        self.text.truncate(start);
        self.text.push_str(&self.unordered);
        repeated
    }
}

/// Receives the series of a family.
pub(crate) struct Family<'writer> {
    name: &'writer str,
    writer: &'writer mut Writer,
}

impl Family<'_> {
    /// Writes a series that has one number. `labels` is what goes between the braces.
    pub(crate) fn number(&mut self, labels: &str, number: impl Number) {
        let text = &mut self.writer.text;
        let start = text.len();
        text.push_str(self.name);
        let mut begin = text.len();
        if !labels.is_empty() {
            begin += 1;
            push_all(text, ["{", labels, "}"]);
        }
        let labels = begin..begin + labels.len();
        push_number(text, number);
        let all = start..text.len();
        self.writer.series.push(Lines { all, labels });
    }

    /// Writes a series that is a histogram. `counts` has a number for each bound, each bucket's alone; `count` is of all
    /// buckets, the last included, which has no bound.
    pub(crate) fn histogram(
        &mut self,
        labels: &str,
        bounds: &[f64],
        counts: impl Iterator<Item = u64>,
        count: u64,
        sum: impl Number,
    ) {
        let Writer {
            text,
            bounds: texts,
            prefix,
            series,
            ..
        } = &mut *self.writer;
        let (name, start) = (self.name, text.len());
        texts.set(bounds);
        prefix.clear();
        push_all(prefix, [name, "_bucket{", labels]);
        let begin = start + prefix.len() - labels.len();
        let labels_at = begin..begin + labels.len();
        let comma = if labels.is_empty() { "" } else { "," };
        push_all(prefix, [comma, "le=\""]);
        let mut below = 0;
        for (bound, own) in texts.texts().zip(counts) {
            below += own;
            push_all(text, [prefix, bound]);
            below.push(text);
            text.push('\n');
        }
        if !texts.has_infinity() {
            push_all(text, [prefix, "+Inf\"} "]);
            count.push(text);
            text.push('\n');
        }
        let (open, close) = match labels.is_empty() {
            true => ("", ""),
            false => ("{", "}"),
        };
        push_all(text, [name, "_sum", open, labels, close]);
        push_number(text, sum);
        push_all(text, [name, "_count", open, labels, close]);
        push_number(text, count);
        series.push(Lines {
            all: start..text.len(),
            labels: labels_at,
        });
    }
}

fn push_number(text: &mut String, number: impl Number) {
    text.push(' ');
    number.push(text);
    text.push('\n');
}

fn push_all<const N: usize>(text: &mut String, parts: [&str; N]) {
    parts.into_iter().for_each(|part| text.push_str(part));
}

fn push_escaped_help(text: &mut String, help: &str) {
    for part in help.split_inclusive(['\\', '\n']) {
        match part.strip_suffix(['\\', '\n']) {
            Some(plain) if part.ends_with('\n') => push_all(text, [plain, "\\n"]),
            Some(plain) => push_all(text, [plain, "\\\\"]),
            None => text.push_str(part),
        }
    }
}
