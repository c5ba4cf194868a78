//! The history of all metrics: a frame for each sample, and the values before the oldest frame and before recent ones.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    mem,
};

use foldhash::quality::RandomState;
use serde_json::{Value as Json, json};

use super::{
    frames::{self, FrameWriter, Slot, Value},
    metric_values::{Head, Key, Visit, labels},
};

/// Frames that are kept at most: 15 minutes.
const FRAMES: usize = 450;

/// Frames that most queries read: an open page asks for the samples since its last one.
const RECENT: usize = 4;

/// Estimate of what maps and allocations add to a series.
const SERIES_OVERHEAD: usize = 64;

/// The metrics of the last minutes, within a number of bytes.
#[derive(Debug)]
pub(super) struct History {
    limit: usize,
    pub(super) metrics: BTreeMap<Box<str>, Metric>,
    pub(super) series: Vec<Series>,
    /// The values of all series before the oldest frame.
    bases: Vec<Slot>,
    /// The values of all series before the last [`RECENT`] frames.
    recent_bases: Vec<Slot>,
    pub(super) frames: VecDeque<Frame>,
    /// Bytes of metrics and series.
    series_bytes: usize,
    frames_bytes: usize,
    writer: FrameWriter,
    sample: u32,
    /// The series that was visited last.
    latest: usize,
    /// The key of the series that is being looked up.
    key: Vec<u8>,
    not_kept: usize,
}

#[derive(Debug)]
pub(super) struct Metric {
    pub(super) help: Box<str>,
    pub(super) unit: Box<str>,
    pub(super) kind: &'static str,
    pub(super) bounds: Box<[f64]>,
    pub(super) series: HashMap<Box<[u8]>, usize, RandomState>,
}

#[derive(Debug)]
pub(super) struct Series {
    /// The sample that had the series last.
    sample: u32,
    /// Of a series in native storage.
    identity: Option<usize>,
    /// The series that was visited after this one, which usually is so again.
    next: u32,
    pub(super) now: Slot,
}

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) at: u64,
    pub(super) changes: Box<[u8]>,
}

impl History {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            metrics: BTreeMap::new(),
            series: Vec::new(),
            bases: Vec::new(),
            recent_bases: Vec::new(),
            frames: VecDeque::new(),
            series_bytes: 0,
            frames_bytes: 0,
            writer: FrameWriter::default(),
            sample: 0,
            latest: 0,
            key: Vec::new(),
            not_kept: 0,
        }
    }

    /// Adds a sample: what `visit_all` visits.
    pub(super) fn sample(&mut self, at: u64, visit_all: impl FnOnce(Visit<'_>)) {
        self.sample = self.sample.wrapping_add(1);
        self.not_kept = 0;
        visit_all(&mut |head, key, value| self.add(head, key, value));
        for (index, series) in self.series.iter_mut().enumerate() {
            if series.sample != self.sample {
                self.writer.set(index, &mut series.now, None);
            }
        }
        let changes = self.writer.finish();
        self.frames_bytes += changes.len() + size_of::<Frame>();
        self.frames.push_back(Frame { at, changes });
        if let Some(before_recent) = self.frames.len().checked_sub(RECENT + 1) {
            let changes = &self.frames[before_recent].changes;
            frames::apply(changes, &mut self.recent_bases);
        }
        while self.frames.len() > FRAMES || self.bytes() > self.limit {
            let Some(oldest) = self.frames.pop_front() else {
                break;
            };
            self.frames_bytes -= oldest.changes.len() + size_of::<Frame>();
            frames::apply(&oldest.changes, &mut self.bases);
            if self.frames.len() < RECENT {
                frames::apply(&oldest.changes, &mut self.recent_bases);
            }
        }
    }

    /// Returns the frames that have all samples after a time, and the values before the first of them.
    pub(super) fn frames_since(&self, since: u64) -> (impl Iterator<Item = &Frame>, Vec<Slot>) {
        let before_recent = self.frames.len().saturating_sub(RECENT);
        let mut older = self.frames.range(..before_recent);
        match older.all(|frame| frame.at <= since) {
            true => (
                self.frames.range(before_recent..),
                self.recent_bases.clone(),
            ),
            false => (self.frames.range(..), self.bases.clone()),
        }
    }

    fn add(&mut self, head: Head<'_>, key: Key<'_>, value: Value) {
        let expected = self.expected(key, &value);
        let Some(index) = expected.or_else(|| self.series_of(head, key, &value)) else {
            self.not_kept += 1;
            return;
        };
        let series = &mut self.series[index];
        // Of several series with the same name and labels, the first counts.
        if series.sample != self.sample {
            series.sample = self.sample;
            self.writer.set(index, &mut series.now, Some(value));
        }
    }

    /// Returns the series with this identity if it is the one that usually comes next: without a look at its labels.
    fn expected(&mut self, key: Key<'_>, value: &Value) -> Option<usize> {
        let next = self.series.get(self.latest)?.next as usize;
        let series = self.series.get(next)?;
        let is_next = key.identity.is_some() && series.identity == key.identity;
        let found = (is_next && series.now.fits(value)).then_some(next)?;
        self.latest = found;
        Some(found)
    }

    /// Returns a series for values like this one, and creates it if there is room.
    fn series_of(&mut self, head: Head<'_>, key: Key<'_>, value: &Value) -> Option<usize> {
        let mut bytes = mem::take(&mut self.key);
        bytes.clear();
        (key.write)(&mut bytes);
        let index = self.series_with_key(head, &bytes, value);
        self.key = bytes;
        if let Some(series) = self.series.get_mut(self.latest) {
            series.next = index? as u32;
        }
        self.latest = index?;
        self.series[self.latest].identity = key.identity;
        index
    }

    fn series_with_key(&mut self, head: Head<'_>, key: &[u8], value: &Value) -> Option<usize> {
        let known = self.metrics.get(head.name);
        if let Some(&index) = known.and_then(|metric| metric.series.get(key)) {
            return self.series[index].now.fits(value).then_some(index);
        }
        let fits = |metric: &Metric| metric.kind == head.kind && *metric.bounds == *head.bounds;
        let texts = head.name.len() + head.help.len() + head.unit.len();
        let bytes_of_metric = match known {
            Some(metric) if fits(metric) => 0,
            Some(_) => return None,
            None => size_of::<Metric>() + texts + size_of_val(head.bounds),
        };
        let bytes = size_of::<Series>() + 2 * size_of::<Slot>() + 3 * value.heap_bytes();
        let bytes = bytes_of_metric + bytes + key.len() + SERIES_OVERHEAD;
        // The other half is for the frames.
        if self.series_bytes + bytes > self.limit / 2 {
            return None;
        }
        self.series_bytes += bytes;
        let metric = self.metrics.entry(head.name.into());
        let metric = metric.or_insert_with(|| Metric {
            help: head.help.into(),
            unit: head.unit.into(),
            kind: head.kind,
            bounds: head.bounds.into(),
            series: HashMap::default(),
        });
        let index = self.series.len();
        metric.series.insert(key.into(), index);
        self.bases.push(Slot::empty(value));
        self.recent_bases.push(Slot::empty(value));
        self.series.push(Series {
            sample: self.sample.wrapping_sub(1),
            identity: None,
            next: 0,
            now: Slot::empty(value),
        });
        Some(index)
    }

    pub(super) fn bytes(&self) -> usize {
        self.series_bytes + self.frames_bytes
    }

    /// Returns how many series of the last sample are not kept.
    pub(super) fn series_not_kept(&self) -> usize {
        self.not_kept
    }

    /// Returns the metrics that have series, ordered by name.
    pub(super) fn list(&self) -> Json {
        let metrics = self.metrics.iter().map(|(name, metric)| {
            let keys = metric.series.keys();
            let labels = keys.flat_map(|key| labels(key));
            let labels: BTreeSet<_> = labels.map(|(name, _)| name).collect();
            json!({
                "name": name,
                "help": metric.help,
                "unit": metric.unit,
                "kind": metric.kind,
                "labels": labels,
                "series": metric.series.len(),
            })
        });
        metrics.collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::console::{metric_values::push_text, series::SeriesQuery};

    fn key(label: usize) -> Vec<u8> {
        let mut key = Vec::new();
        push_text(&mut key, "part");
        push_text(&mut key, &label.to_string());
        key
    }

    fn head<'a>(name: &'a str, kind: &'static str, bounds: &'a [f64]) -> Head<'a> {
        let (help, unit) = ("Help.", "s");
        Head {
            name,
            help,
            unit,
            kind,
            bounds,
        }
    }

    /// A float whose text is read exactly.
    fn float(value: u64) -> f64 {
        f64::from(value as i32)
    }

    /// Adds a sample of counters with these values at each label, and of metrics of other kinds.
    fn add(history: &mut History, at: u64, values: &[Option<u64>]) {
        history.sample(at, |visit| {
            for (label, value) in values.iter().enumerate() {
                let Some(value) = *value else { continue };
                let (bytes, signed, float) = (key(label), value as i64, float(value));
                let write = |into: &mut Vec<u8>| into.extend(&bytes);
                let key = |metric| Key {
                    identity: Some(4 * label + metric),
                    write: &write,
                };
                visit(head("u", "counter", &[]), key(0), Value::Unsigned(value));
                visit(head("i", "gauge", &[]), key(1), Value::Signed(signed));
                visit(head("f", "gauge", &[]), key(2), Value::Float(float));
                let (sum, counts) = (float, [value % 5, value % 3].into());
                let histogram = Value::Histogram { sum, counts };
                visit(head("h", "histogram", &[1.0]), key(3), histogram);
            }
        });
    }

    fn values(history: &History, query: &SeriesQuery) -> Json {
        serde_json::from_str(&history.values(query).expect("few")).expect("JSON")
    }

    fn of(name: &str) -> SeriesQuery {
        SeriesQuery {
            metrics: vec![name.to_owned()],
            ..SeriesQuery::default()
        }
    }

    proptest! {
        /// Also when the oldest samples are gone.
        #[test]
        fn values_are_those_of_the_samples(
            samples in prop::collection::vec(prop::array::uniform3(prop::option::of(any::<u64>())), 1..40),
            limit in 4_000..16_000_usize,
            since in 0..40_u64,
        ) {
            let mut history = History::new(limit);
            for (at, sample) in samples.iter().enumerate() {
                add(&mut history, at as u64 + 1, sample);
                prop_assert!(history.bytes() <= limit);
            }
            let kept = history.frames.len();
            let shown: Vec<_> = samples.iter().enumerate().skip(samples.len() - kept)
                .filter(|(at, _)| *at as u64 + 1 > since).collect();
            let ticks: Vec<_> = shown.iter().map(|(at, _)| at + 1).collect();
            type Expected = fn(u64) -> Json;
            let columns: [(_, _, Expected); 6] = [
                ("u", "values", |value| json!(value)),
                ("i", "values", |value| json!(value as i64)),
                ("f", "values", |value| json!(float(value))),
                ("h", "count", |value| json!(value % 5 + value % 3)),
                ("h", "sum", |value| json!(float(value))),
                ("h", "buckets", |value| json!([value % 5, value % 3])),
            ];
            let mut series_shown = 0;
            for (metric, column, expected) in columns {
                let all = values(&history, &SeriesQuery { since, ..of(metric) });
                prop_assert_eq!(&all["ticks"], &json!(ticks));
                for series in all["metrics"][metric]["series"].as_array().into_iter().flatten() {
                    let label: usize = series["labels"]["part"].as_str().expect("a label").parse().expect("a number");
                    let expected: Vec<_> = shown.iter().map(|(_, sample)| sample[label].map(expected)).collect();
                    prop_assert_eq!(&series[column], &json!(expected));
                    series_shown += usize::from(!matches!(column, "sum" | "buckets"));
                }
            }
            prop_assert_eq!(series_shown, history.series.len());
            let has_all = history.metrics.get("u").is_some_and(|metric| metric.series.len() == 3);
            if has_all {
                let expected: Vec<_> = shown.iter().map(|(_, sample)| {
                    let there = || sample.iter().flatten();
                    let sum: u128 = there().map(|value| u128::from(*value)).sum();
                    there().next().map_or("null".to_owned(), |_| sum.to_string())
                }).collect();
                let text = history.values(&SeriesQuery { by: Some(Vec::new()), since, ..of("u") }).expect("few");
                let expected = format!("\"values\":[{}]", expected.join(","));
                prop_assert!(text.contains(&expected), "{} has no {}", text, expected);
            }
        }
    }

    #[test]
    fn series_beyond_the_budget_are_counted() {
        let mut history = History::new(200_000);
        let values: Vec<_> = (0..10_000).map(Some).collect();
        // What is kept goes on.
        for at in 1..=2 {
            add(&mut history, at, &values);
            assert!(history.bytes() <= 200_000);
            assert!(history.series.len() > 100);
            assert_eq!(history.series.len() + history.series_not_kept(), 40_000);
        }
    }

    #[test]
    fn the_largest_series_are_shown() {
        let mut history = History::new(1 << 20);
        let sample: Vec<_> = (0..300).map(Some).collect();
        add(&mut history, 1, &sample);
        let shown = values(&history, &of("u"));
        let many = &shown["metrics"]["u"];
        assert_eq!(many["left_out"], 100);
        assert_eq!(many["series"][0]["values"], json!([299]));
        assert_eq!(many["series"].as_array().map(Vec::len), Some(200));
        let matching = vec![("part".to_owned(), "7".to_owned())];
        let one = values(
            &history,
            &SeriesQuery {
                matching,
                ..of("u")
            },
        );
        assert_eq!(
            one["metrics"]["u"]["series"],
            json!([{"labels": {"part": "7"}, "values": [7]}])
        );
    }

    #[test]
    fn histograms_are_summed_bucket_by_bucket() {
        let mut history = History::new(1 << 20);
        add(&mut history, 1, &[Some(2), Some(4)]);
        add(&mut history, 2, &[Some(3), None]);
        let by = Some(Vec::new());
        assert_eq!(
            values(&history, &SeriesQuery { by, ..of("h") })["metrics"]["h"],
            json!({
                "kind": "histogram", "unit": "s", "help": "Help.", "left_out": 0, "bounds": [1.0],
                "series": [{
                    "labels": {}, "count": [9, 3], "sum": [6.0, 3.0], "buckets": [[6, 3], [3, 0]],
                }],
            })
        );
    }

    #[test]
    fn at_most_15_minutes_are_kept() {
        let mut history = History::new(1 << 20);
        for at in 0..500 {
            add(&mut history, at, &[Some(at)]);
        }
        let since = 497;
        let all = values(&history, &SeriesQuery { since, ..of("u") });
        assert_eq!(
            (history.frames.len(), &all["ticks"]),
            (450, &json!([498, 499]))
        );
        assert_eq!(
            all["metrics"]["u"]["series"][0]["values"],
            json!([498, 499])
        );
    }

    #[test]
    fn an_answer_with_too_many_values_is_refused() {
        let mut history = History::new(64 << 20);
        let metrics: Vec<_> = (0..8).map(|metric| format!("m{metric}")).collect();
        let keys: Vec<_> = (0..200).map(key).collect();
        for at in 0..450 {
            history.sample(at, |visit| {
                for (name, key) in metrics
                    .iter()
                    .flat_map(|name| keys.iter().map(move |key| (name, key)))
                {
                    visit(
                        head(name, "counter", &[]),
                        Key {
                            identity: None,
                            write: &|into| into.extend(key),
                        },
                        Value::Unsigned(u64::MAX - at),
                    );
                }
            });
        }
        let all = SeriesQuery {
            metrics,
            ..SeriesQuery::default()
        };
        let error = history.values(&all).expect_err("too many");
        assert!(error.contains("by=LABEL"), "{error}");
        let by = Some(Vec::new());
        assert!(history.values(&SeriesQuery { by, ..all }).is_ok());
    }
}
