//! The values of series at each sample, as JSON: each by itself, or summed by labels.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{
    frames::{self, Slot, Value},
    history::{History, Metric},
    metric_values::labels,
};

/// Series of a metric in one answer.
const SERIES_SHOWN: usize = 200;

/// Bytes of the values in one answer; a console that follows this one takes a little more.
const MAX_VALUES: usize = 12 << 20;

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

/// A metric with the groups that are shown, and how many are not.
struct Answer<'history> {
    name: &'history str,
    metric: &'history Metric,
    groups: Vec<Group>,
    left_out: usize,
}

/// Series that are shown as one.
#[derive(Default)]
struct Group {
    labels: Map<String, Json>,
    series: Vec<usize>,
    size: f64,
    /// The values as JSON, separated by commas: one column, or those of a histogram.
    columns: [String; 3],
}

impl History {
    /// Returns the values at each sample, as JSON.
    ///
    /// # Errors
    ///
    /// Returns a sentence if there are too many.
    pub(super) fn values(&self, query: &SeriesQuery) -> Result<String, String> {
        let names = query.metrics.iter();
        let mut answers: Vec<_> = names.filter_map(|name| self.answer(name, query)).collect();
        let (frames, mut slots) = self.frames_since(query.since);
        let mut ticks = Vec::new();
        for frame in frames {
            frames::apply(&frame.changes, &mut slots);
            if frame.at > query.since {
                ticks.push(frame.at);
                let mut bytes = 0;
                for group in answers.iter_mut().flat_map(|answer| &mut answer.groups) {
                    group.push_sum(&slots);
                    bytes += group.columns.iter().map(String::len).sum::<usize>();
                }
                if bytes > MAX_VALUES {
                    return Err(
                        "these are too many series: name fewer metrics, or sum them with by=LABEL"
                            .to_owned(),
                    );
                }
            }
        }
        let answers: Vec<_> = answers.iter().map(Answer::to_json).collect();
        let (ticks, answers) = (json!(ticks), answers.join(","));
        Ok(format!("{{\"ticks\":{ticks},\"metrics\":{{{answers}}}}}"))
    }

    /// Groups the series of a metric, the largest first.
    fn answer(&self, name: &str, query: &SeriesQuery) -> Option<Answer<'_>> {
        let (name, metric) = self.metrics.get_key_value(name)?;
        let mut groups: BTreeMap<Vec<(&str, &str)>, Group> = BTreeMap::new();
        for (key, &series) in &metric.series {
            let value_of = |name: &str| {
                let found = labels(key).find(|(label, _)| *label == name);
                found.map_or("", |(_, value)| value)
            };
            let mut wanted = query.matching.iter();
            if !wanted.all(|(label, value)| value_of(label) == value) {
                continue;
            }
            let kept = match &query.by {
                None => labels(key).collect(),
                Some(by) => by.iter().map(|name| (&**name, value_of(name))).collect(),
            };
            let group = groups.entry(kept).or_default();
            group.series.push(series);
            let now = self.series[series].now.get();
            group.size += now.map_or(0.0, Value::size);
        }
        let groups = groups.into_iter().map(|(labels, group)| {
            let labels = labels.into_iter();
            let labels = labels.map(|(name, value)| (name.to_owned(), value.into()));
            Group {
                labels: labels.collect(),
                ..group
            }
        });
        let mut groups: Vec<_> = groups.collect();
        groups.sort_by(|a, b| b.size.abs().total_cmp(&a.size.abs()));
        let left_out = groups.len().saturating_sub(SERIES_SHOWN);
        groups.truncate(SERIES_SHOWN);
        Some(Answer {
            name,
            metric,
            groups,
            left_out,
        })
    }
}

impl Group {
    /// Adds the sum of the values; `null` if no series is there.
    fn push_sum(&mut self, slots: &[Slot]) {
        let (mut integer, mut float, mut buckets) = (0_i128, 0.0, Vec::new());
        let mut last = None;
        for value in self.series.iter().filter_map(|series| slots[*series].get()) {
            last = Some(value);
            match value {
                Value::Unsigned(value) => integer += i128::from(*value),
                Value::Signed(value) => integer += i128::from(*value),
                Value::Float(value) => float += value,
                Value::Histogram { sum, counts } => {
                    float += sum;
                    buckets.resize(counts.len(), 0_u64);
                    for (bucket, count) in buckets.iter_mut().zip(counts) {
                        *bucket = bucket.saturating_add(*count);
                    }
                }
            }
        }
        let texts = match last {
            None => ["null", "null", "null"].map(str::to_owned),
            Some(Value::Unsigned(_) | Value::Signed(_)) => {
                [integer.to_string(), String::new(), String::new()]
            }
            Some(Value::Float(_)) => [json!(float).to_string(), String::new(), String::new()],
            Some(Value::Histogram { .. }) => {
                let count: i128 = buckets.iter().copied().map(i128::from).sum();
                [
                    count.to_string(),
                    json!(float).to_string(),
                    json!(buckets).to_string(),
                ]
            }
        };
        for (column, text) in self.columns.iter_mut().zip(texts) {
            if !column.is_empty() {
                column.push(',');
            }
            column.push_str(&text);
        }
    }
}

impl Answer<'_> {
    /// Returns the metric as a member of a JSON object.
    fn to_json(&self) -> String {
        let Metric {
            kind,
            unit,
            help,
            bounds,
            ..
        } = self.metric;
        let mut head = json!({"kind": kind, "unit": unit, "help": help, "left_out": self.left_out});
        let names = match *kind {
            "histogram" => {
                head["bounds"] = json!(bounds);
                &["count", "sum", "buckets"][..]
            }
            _ => &["values"],
        };
        let groups = self.groups.iter().map(|group| {
            let columns = names.iter().zip(&group.columns);
            let columns: String = columns
                .map(|(name, values)| format!(",\"{name}\":[{values}]"))
                .collect();
            format!("{{\"labels\":{}{columns}}}", json!(group.labels))
        });
        let groups: Vec<_> = groups.collect();
        let (name, head, groups) = (json!(self.name), head.to_string(), groups.join(","));
        let head = head.strip_suffix('}').unwrap_or_default();
        format!("{name}:{head},\"series\":[{groups}]}}")
    }
}
