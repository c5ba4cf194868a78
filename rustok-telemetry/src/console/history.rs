//! The history of all metrics: a frame for each sample, and the values before the oldest frame.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    str,
    sync::Arc,
};

use serde_json::{Value as Json, json};

use super::{
    frames::{self, FrameWriter, Reader, Shape, Value, Values},
    metric_values::{Head, Visit},
};

/// Frames that are kept at most: 15 minutes.
const FRAMES: usize = 450;

/// Series of a metric in one answer.
const SERIES_SHOWN: usize = 200;

/// Estimate of what maps and allocations add to a series.
const SERIES_OVERHEAD: usize = 64;

/// The metrics of the last minutes, within a number of bytes.
#[derive(Debug)]
pub(super) struct History {
    limit: usize,
    metrics: Vec<Metric>,
    by_name: HashMap<Box<str>, usize>,
    series: Vec<Series>,
    frames: VecDeque<Frame>,
    /// Bytes of metrics and series, and of frames.
    bytes: [usize; 2],
    writer: FrameWriter,
    sample: u32,
    not_kept: usize,
}

#[derive(Debug)]
struct Metric {
    name: Box<str>,
    help: Box<str>,
    unit: Box<str>,
    kind: &'static str,
    bounds: Box<[f64]>,
    series: HashMap<Arc<[u8]>, usize>,
}

#[derive(Debug)]
struct Series {
    key: Arc<[u8]>,
    shape: Shape,
    /// The sample that had the series last.
    sample: u32,
    now: Option<Value>,
    /// Before the oldest frame.
    base: Option<Value>,
}

#[derive(Debug)]
struct Frame {
    at: u64,
    changes: Box<[u8]>,
}

/// Which series are asked for.
#[derive(Debug, Default)]
pub(super) struct SeriesQuery {
    pub(super) metrics: Vec<String>,
    /// Labels that are kept; others are summed up. `None`: every series by itself.
    pub(super) by: Option<Vec<String>>,
    /// Labels with the value that they must have.
    pub(super) matching: Vec<(String, String)>,
    /// Milliseconds since 1970, of the last sample that is known already.
    pub(super) since: u64,
}

impl History {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            metrics: Vec::new(),
            by_name: HashMap::new(),
            series: Vec::new(),
            frames: VecDeque::new(),
            bytes: [0; 2],
            writer: FrameWriter::default(),
            sample: 0,
            not_kept: 0,
        }
    }

    /// Adds a sample: what `visit_all` visits.
    pub(super) fn sample(&mut self, at: u64, visit_all: impl FnOnce(Visit<'_>)) {
        self.sample = self.sample.wrapping_add(1);
        self.not_kept = 0;
        visit_all(&mut |head, key, shape, value| self.add(head, key, shape, value));
        for (index, series) in self.series.iter_mut().enumerate() {
            if series.sample != self.sample && series.now.is_some() {
                let from = series.now.take();
                self.writer.change(index, series.shape, from.as_ref(), None);
            }
        }
        let changes = self.writer.finish();
        self.bytes[1] += changes.len() + size_of::<Frame>();
        self.frames.push_back(Frame { at, changes });
        while self.frames.len() > FRAMES || self.bytes() > self.limit {
            let Some(oldest) = self.frames.pop_front() else {
                break;
            };
            self.bytes[1] -= oldest.changes.len() + size_of::<Frame>();
            frames::apply(&oldest.changes, &mut Bases(&mut self.series));
        }
    }

    fn add(&mut self, head: &Head<'_>, key: &[u8], shape: Shape, value: Value) {
        let Some(index) = self.series_of(head, key, shape) else {
            self.not_kept += 1;
            return;
        };
        let series = &mut self.series[index];
        // Of several series with the same name and labels, the first counts.
        if series.sample == self.sample {
            return;
        }
        series.sample = self.sample;
        if series.now.as_ref() != Some(&value) {
            let from = series.now.as_ref();
            self.writer.change(index, shape, from, Some(&value));
            series.now = Some(value);
        }
    }

    /// Returns a series, and creates it if there is room.
    fn series_of(&mut self, head: &Head<'_>, key: &[u8], shape: Shape) -> Option<usize> {
        // The other half is for the frames.
        let has_room = |held: usize, new: usize| held + new <= self.limit / 2;
        let metric = match self.by_name.get(head.name) {
            Some(&metric) => metric,
            None => {
                let texts = 2 * head.name.len() + head.help.len() + head.unit.len();
                let bytes = size_of::<Metric>() + texts + size_of_val(head.bounds);
                if !has_room(self.bytes[0], bytes) {
                    return None;
                }
                self.bytes[0] += bytes;
                self.metrics.push(Metric {
                    name: head.name.into(),
                    help: head.help.into(),
                    unit: head.unit.into(),
                    kind: head.kind,
                    bounds: head.bounds.into(),
                    series: HashMap::new(),
                });
                let metric = self.metrics.len() - 1;
                self.by_name.insert(head.name.into(), metric);
                metric
            }
        };
        let of_metric = &mut self.metrics[metric];
        if let Some(&series) = of_metric.series.get(key) {
            return (self.series[series].shape == shape).then_some(series);
        }
        let bytes = size_of::<Series>() + SERIES_OVERHEAD + key.len() + 2 * shape.heap_bytes();
        let is_alike = of_metric.kind == head.kind && *of_metric.bounds == *head.bounds;
        if !is_alike || !has_room(self.bytes[0], bytes) {
            return None;
        }
        self.bytes[0] += bytes;
        let key: Arc<[u8]> = key.into();
        let index = self.series.len();
        of_metric.series.insert(Arc::clone(&key), index);
        self.series.push(Series {
            key,
            shape,
            sample: self.sample.wrapping_sub(1),
            now: None,
            base: None,
        });
        Some(index)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.iter().sum()
    }

    pub(super) fn series_kept(&self) -> usize {
        self.series.len()
    }

    /// Returns how many series of the last sample are not kept.
    pub(super) fn series_not_kept(&self) -> usize {
        self.not_kept
    }

    pub(super) fn ticks(&self) -> usize {
        self.frames.len()
    }

    /// Returns the metrics that have series, ordered by name.
    pub(super) fn metrics(&self) -> Json {
        let names: BTreeMap<_, _> = self.by_name.iter().collect();
        let metrics = names.values().map(|&&metric| &self.metrics[metric]);
        metrics
            .map(|metric| {
                let keys = metric.series.keys();
                let names: BTreeSet<_> = keys
                    .flat_map(|key| labels(key))
                    .map(|(name, _)| name)
                    .collect();
                json!({
                    "name": metric.name,
                    "help": metric.help,
                    "unit": metric.unit,
                    "kind": metric.kind,
                    "labels": names,
                    "series": metric.series.len(),
                })
            })
            .collect()
    }

    /// Returns the values at each sample, as JSON.
    pub(super) fn values(&self, query: &SeriesQuery) -> String {
        let mut slots = vec![None; self.series.len()];
        let mut asked: Vec<_> = query
            .metrics
            .iter()
            .filter_map(|name| self.by_name.get(name.as_str()))
            .map(|&metric| self.groups(metric, query))
            .collect();
        let mut current = Vec::new();
        for groups in &mut asked {
            for group in &mut groups.shown {
                for series in &mut group.members {
                    slots[*series] = Some(current.len());
                    current.push(self.series[*series].base.clone());
                    *series = current.len() - 1;
                }
            }
        }
        let mut values = Selected {
            series: &self.series,
            slots,
            values: current,
        };
        let mut ticks = Vec::new();
        for frame in &self.frames {
            frames::apply(&frame.changes, &mut values);
            if frame.at > query.since {
                ticks.push(frame.at);
                for groups in &mut asked {
                    for group in &mut groups.shown {
                        let members = group.members.iter();
                        let shapes = group.shape;
                        group
                            .texts
                            .push(shapes, members.filter_map(|at| values.values[*at].as_ref()));
                    }
                }
            }
        }
        let mut text = format!("{{\"ticks\":{},\"metrics\":{{", json!(ticks));
        for (at, groups) in asked.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            self.write(groups, &mut text);
        }
        text.push_str("}}");
        text
    }

    /// Groups the series of a metric, largest first.
    fn groups(&self, metric: usize, query: &SeriesQuery) -> Groups {
        let mut groups: BTreeMap<Vec<(&str, &str)>, Group> = BTreeMap::new();
        for &index in self.metrics[metric].series.values() {
            let series = &self.series[index];
            let value_of = |name: &str| {
                let found = labels(&series.key).find(|(label, _)| *label == name);
                found.map_or("", |(_, value)| value)
            };
            let mut wanted = query.matching.iter();
            if !wanted.all(|(label, value)| value_of(label) == value) {
                continue;
            }
            let kept = match &query.by {
                None => labels(&series.key).collect(),
                Some(by) => by
                    .iter()
                    .map(|label| (label.as_str(), value_of(label)))
                    .collect(),
            };
            let group = groups.entry(kept).or_insert_with(|| Group {
                labels: Json::Null,
                shape: series.shape,
                members: Vec::new(),
                size: 0.0,
                texts: Texts::default(),
            });
            if group.shape == series.shape {
                group.members.push(index);
                group.size += series.size().unwrap_or_default();
            }
        }
        let mut shown: Vec<_> = groups
            .into_iter()
            .map(|(labels, group)| Group {
                labels: labels
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), Json::from(value)))
                    .collect(),
                ..group
            })
            .collect();
        shown.sort_by(|a, b| b.size.abs().total_cmp(&a.size.abs()));
        let left_out = shown.len().saturating_sub(SERIES_SHOWN);
        shown.truncate(SERIES_SHOWN);
        Groups {
            metric,
            shown,
            left_out,
        }
    }

    fn write(&self, groups: &Groups, text: &mut String) {
        let metric = &self.metrics[groups.metric];
        let mut head = json!({
            "kind": metric.kind,
            "unit": metric.unit,
            "help": metric.help,
            "left_out": groups.left_out,
        });
        if metric.kind == "histogram" {
            head["bounds"] = json!(metric.bounds);
        }
        let head = head.to_string();
        let head = head.strip_suffix('}').unwrap_or_default();
        text.push_str(&format!("{}:{head},\"series\":[", json!(metric.name)));
        for (at, group) in groups.shown.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(&format!("{{\"labels\":{}", group.labels));
            let columns = match group.shape {
                Shape::Histogram(_) => &["count", "sum", "buckets"][..],
                _ => &["values"],
            };
            for (column, values) in columns.iter().zip(&group.texts.0) {
                text.push_str(&format!(",\"{column}\":[{values}]"));
            }
            text.push('}');
        }
        text.push_str("]}");
    }
}

/// Returns the labels of a series' key.
pub(super) fn labels(key: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let mut reader = Reader(key);
    let mut text = move || {
        (!reader.0.is_empty()).then(|| {
            let length = reader.varint() as usize;
            str::from_utf8(reader.take(length)).unwrap_or_default()
        })
    };
    std::iter::from_fn(move || Some((text()?, text()?)))
}

impl Series {
    /// Returns the current value; of a histogram, the number of values.
    fn size(&self) -> Option<f64> {
        Some(match (self.now.as_ref()?, self.shape) {
            (Value::Integer(value), Shape::Signed) => *value as i64 as f64,
            (Value::Integer(value), _) => *value as f64,
            (Value::Float(value), _) => *value,
            (Value::Histogram { counts, .. }, _) => counts.iter().sum::<u64>() as f64,
        })
    }
}

/// The values before the oldest frame.
struct Bases<'history>(&'history mut [Series]);

impl Values for Bases<'_> {
    fn shape(&self, series: usize) -> Option<Shape> {
        self.0.get(series).map(|series| series.shape)
    }

    fn value(&mut self, series: usize) -> Option<&mut Option<Value>> {
        self.0.get_mut(series).map(|series| &mut series.base)
    }
}

/// The values of the series that are asked for.
struct Selected<'history> {
    series: &'history [Series],
    slots: Vec<Option<usize>>,
    values: Vec<Option<Value>>,
}

impl Values for Selected<'_> {
    fn shape(&self, series: usize) -> Option<Shape> {
        self.series.get(series).map(|series| series.shape)
    }

    fn value(&mut self, series: usize) -> Option<&mut Option<Value>> {
        let slot = (*self.slots.get(series)?)?;
        self.values.get_mut(slot)
    }
}

struct Groups {
    metric: usize,
    shown: Vec<Group>,
    left_out: usize,
}

/// Series that are shown as one.
struct Group {
    labels: Json,
    shape: Shape,
    members: Vec<usize>,
    size: f64,
    texts: Texts,
}

/// The values of a group as JSON, separated by commas: one column, or those of a histogram.
#[derive(Default)]
struct Texts([String; 3]);

impl Texts {
    /// Adds the sum of values; `null` if there are none.
    fn push<'a>(&mut self, shape: Shape, values: impl Iterator<Item = &'a Value>) {
        let (mut integer, mut float, mut is_there) = (0_i128, 0.0, false);
        let mut buckets = match shape {
            Shape::Histogram(buckets) => vec![0_u64; buckets],
            _ => Vec::new(),
        };
        for value in values {
            is_there = true;
            match value {
                Value::Integer(value) if shape == Shape::Signed => {
                    integer += i128::from(*value as i64)
                }
                Value::Integer(value) => integer += i128::from(*value),
                Value::Float(value) => float += value,
                Value::Histogram { sum, counts } => {
                    float += sum;
                    for (bucket, count) in buckets.iter_mut().zip(counts) {
                        *bucket = bucket.saturating_add(*count);
                    }
                }
            }
        }
        for text in &mut self.0 {
            if !text.is_empty() {
                text.push(',');
            }
        }
        let [first, second, third] = &mut self.0;
        match shape {
            _ if !is_there => [first, second, third]
                .into_iter()
                .for_each(|text| text.push_str("null")),
            Shape::Unsigned | Shape::Signed => first.push_str(&integer.to_string()),
            Shape::Float => first.push_str(&json!(float).to_string()),
            Shape::Histogram(_) => {
                let count: i128 = buckets.iter().copied().map(i128::from).sum();
                first.push_str(&count.to_string());
                second.push_str(&json!(float).to_string());
                third.push_str(&json!(buckets).to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::console::frames::push_varint;

    fn key(label: usize) -> Vec<u8> {
        let mut key = Vec::new();
        for text in ["part", &label.to_string()] {
            push_varint(&mut key, text.len() as u64);
            key.extend(text.as_bytes());
        }
        key
    }

    fn add(history: &mut History, at: u64, name: &str, values: &[Option<u64>]) {
        let head = Head {
            name,
            help: "Help.",
            unit: "",
            kind: "counter",
            bounds: &[],
        };
        history.sample(at, |visit| {
            for (label, value) in values.iter().enumerate() {
                if let Some(value) = value {
                    visit(&head, &key(label), Shape::Unsigned, Value::Integer(*value));
                }
            }
        });
    }

    fn values(history: &History, query: &SeriesQuery) -> Json {
        serde_json::from_str(&history.values(query)).expect("JSON")
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
            limit in 1_000..4_000_usize,
            since in 0..40_u64,
        ) {
            let mut history = History::new(limit);
            for (at, sample) in samples.iter().enumerate() {
                add(&mut history, at as u64 + 1, "m", sample);
                prop_assert!(history.bytes() <= limit);
            }
            let kept = history.ticks();
            let query = SeriesQuery { since, ..of("m") };
            let all = values(&history, &query);
            let shown: Vec<_> = samples.iter().enumerate().skip(samples.len() - kept)
                .filter(|(at, _)| *at as u64 + 1 > since).collect();
            let ticks: Vec<_> = shown.iter().map(|(at, _)| at + 1).collect();
            prop_assert_eq!(&all["ticks"], &json!(ticks));
            let series = all["metrics"]["m"]["series"].as_array().cloned().unwrap_or_default();
            prop_assert_eq!(series.len(), history.series_kept());
            for series in series {
                let label: usize = series["labels"]["part"].as_str().expect("a label").parse().expect("a number");
                let expected: Vec<_> = shown.iter().map(|(_, sample)| sample[label]).collect();
                prop_assert_eq!(&series["values"], &json!(expected));
            }
            let sum = values(&history, &SeriesQuery { by: Some(Vec::new()), since, ..of("m") });
            let expected: Vec<_> = shown.iter().map(|(_, sample)| {
                let sum: u128 = sample.iter().flatten().map(|value| u128::from(*value)).sum();
                sample.iter().any(Option::is_some).then_some(sum as f64)
            }).collect();
            let series = sum["metrics"]["m"]["series"].as_array().cloned().unwrap_or_default();
            if let [sum] = &series[..] {
                let shown: Vec<_> = sum["values"].as_array().expect("values").iter().map(Json::as_f64).collect();
                prop_assert_eq!(shown, expected);
            }
        }
    }

    #[test]
    fn series_beyond_the_budget_are_counted() {
        let mut history = History::new(200_000);
        let values: Vec<_> = (0..10_000).map(Some).collect();
        add(&mut history, 1, "many", &values);
        assert!(history.bytes() <= 200_000);
        assert!(history.series_kept() > 100);
        assert_eq!(history.series_kept() + history.series_not_kept(), 10_000);
        // What is kept goes on.
        add(&mut history, 2, "many", &values);
        assert_eq!(history.series_kept() + history.series_not_kept(), 10_000);
    }

    #[test]
    fn the_largest_series_are_shown() {
        let mut history = History::new(1 << 20);
        let sample: Vec<_> = (0..300).map(Some).collect();
        add(&mut history, 1, "many", &sample);
        let shown = values(&history, &of("many"));
        let many = &shown["metrics"]["many"];
        assert_eq!(many["left_out"], 100);
        assert_eq!(many["series"][0]["values"], json!([299]));
        assert_eq!(many["series"].as_array().map(Vec::len), Some(200));
        let one = values(
            &history,
            &SeriesQuery {
                matching: vec![("part".to_owned(), "7".to_owned())],
                ..of("many")
            },
        );
        assert_eq!(
            one["metrics"]["many"]["series"],
            json!([{"labels": {"part": "7"}, "values": [7]}])
        );
    }

    #[test]
    fn histograms_are_summed_bucket_by_bucket() {
        let head = Head {
            name: "h",
            help: "",
            unit: "s",
            kind: "histogram",
            bounds: &[1.0],
        };
        let mut history = History::new(1 << 20);
        for at in 1..=2 {
            history.sample(at, |visit| {
                for label in 0..2 {
                    let value = Value::Histogram {
                        sum: at as f64 / 2.0,
                        counts: [at, label as u64].into(),
                    };
                    visit(&head, &key(label), Shape::Histogram(2), value);
                }
            });
        }
        let query = SeriesQuery {
            by: Some(Vec::new()),
            ..of("h")
        };
        assert_eq!(
            values(&history, &query)["metrics"]["h"],
            json!({
                "kind": "histogram", "unit": "s", "help": "", "left_out": 0, "bounds": [1.0],
                "series": [{
                    "labels": {}, "count": [3, 5], "sum": [1.0, 2.0], "buckets": [[2, 1], [4, 1]],
                }],
            })
        );
    }

    #[test]
    fn at_most_15_minutes_are_kept() {
        let mut history = History::new(1 << 20);
        for at in 0..500 {
            add(&mut history, at, "m", &[Some(at)]);
        }
        let all = values(
            &history,
            &SeriesQuery {
                since: 497,
                ..of("m")
            },
        );
        assert_eq!((history.ticks(), &all["ticks"]), (450, &json!([498, 499])));
        assert_eq!(
            all["metrics"]["m"]["series"][0]["values"],
            json!([498, 499])
        );
    }
}
