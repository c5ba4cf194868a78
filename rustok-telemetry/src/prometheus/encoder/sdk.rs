//! Writes metrics that the SDK collected, with names and labels converted for Prometheus.

use std::{borrow::Cow, fmt::Write};

use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData};

use super::{numbers::Number, writer::Family};
use crate::metrics::{Kind, store::point::push_escaped};

/// Returns the kind of a metric; `None` for an exponential histogram, which is not in the text.
pub(crate) fn kind(metric: &Metric) -> Option<Kind> {
    fn of<T>(data: &MetricData<T>) -> Option<Kind> {
        match data {
            MetricData::Gauge(_) => Some(Kind::Gauge),
            MetricData::Sum(sum) if sum.is_monotonic() => Some(Kind::Counter),
            MetricData::Sum(_) => Some(Kind::UpDownCounter),
            MetricData::Histogram(_) => Some(Kind::Histogram),
            MetricData::ExponentialHistogram(_) => None,
        }
    }
    match metric.data() {
        AggregatedMetrics::F64(data) => of(data),
        AggregatedMetrics::U64(data) => of(data),
        AggregatedMetrics::I64(data) => of(data),
    }
}

/// Writes the series of a metric.
pub(crate) fn write(metric: &Metric, family: &mut Family<'_>) {
    match metric.data() {
        AggregatedMetrics::F64(data) => write_data(data, family),
        AggregatedMetrics::U64(data) => write_data(data, family),
        AggregatedMetrics::I64(data) => write_data(data, family),
    }
}

fn write_data<T: Number>(data: &MetricData<T>, family: &mut Family<'_>) {
    let mut labels = Labels::default();
    match data {
        MetricData::Gauge(gauge) => {
            for point in in_order(gauge.data_points(), |point| point.attributes()) {
                family.number(labels.of_numbers(point.attributes()), point.value());
            }
        }
        MetricData::Sum(sum) => {
            for point in in_order(sum.data_points(), |point| point.attributes()) {
                family.number(labels.of_numbers(point.attributes()), point.value());
            }
        }
        MetricData::Histogram(histogram) => {
            let mut bounds = Vec::new();
            for point in in_order(histogram.data_points(), |point| point.attributes()) {
                bounds.clear();
                bounds.extend(point.bounds());
                let labels = labels.of_histograms(point.attributes());
                let (count, sum) = (point.count(), point.sum());
                family.histogram(labels, &bounds, point.bucket_counts(), count, sum);
            }
        }
        MetricData::ExponentialHistogram(_) => {}
    }
}

/// Sorts data points, whose order changes from one collection to the next: of attribute sets that become the same
/// labels, always the same one has to be first.
fn in_order<'collected, P, A>(
    points: impl Iterator<Item = &'collected P>,
    attributes: impl Fn(&'collected P) -> A,
) -> Vec<&'collected P>
where
    A: Iterator<Item = &'collected KeyValue>,
{
    let mut points: Vec<_> = points.collect();
    let key = |attribute: &'collected KeyValue| (attribute.key.as_str(), rank(&attribute.value));
    points.sort_by(|a, b| attributes(a).map(key).cmp(attributes(b).map(key)));
    points
}

/// Orders values of different types that may have the same text.
fn rank(value: &Value) -> u8 {
    match value {
        Value::String(_) => 0,
        Value::Bool(_) => 1,
        Value::I64(_) => 2,
        Value::F64(_) => 3,
        _ => 4,
    }
}

/// Converts attributes to labels, and reuses its buffers.
#[derive(Debug, Default)]
pub(crate) struct Labels<'collected> {
    sorted: Vec<Attribute<'collected>>,
    text: String,
}

/// Label name, attribute key and value.
type Attribute<'collected> = (Cow<'collected, str>, &'collected str, &'collected Value);

impl<'collected> Labels<'collected> {
    fn of_numbers(&mut self, attributes: impl Iterator<Item = &'collected KeyValue>) -> &str {
        self.of(attributes.map(|attribute| (attribute.key.as_str(), &attribute.value)))
    }

    fn of_histograms(&mut self, attributes: impl Iterator<Item = &'collected KeyValue>) -> &str {
        self.of(attributes.map(|attribute| match attribute.key.as_str() {
            // The bucket lines of a histogram have a label `le`.
            "le" => ("exported_le", &attribute.value),
            key => (key, &attribute.value),
        }))
    }

    /// Returns the text between the braces. Values of attributes that become the same label are joined by `;`.
    pub(crate) fn of(
        &mut self,
        attributes: impl Iterator<Item = (&'collected str, &'collected Value)>,
    ) -> &str {
        self.sorted.clear();
        self.sorted
            .extend(attributes.map(|(key, value)| (label_name(key), key, value)));
        self.sorted
            .sort_unstable_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        self.text.clear();
        for same in self.sorted.chunk_by(|a, b| a.0 == b.0) {
            if !self.text.is_empty() {
                self.text.push(',');
            }
            self.text.push_str(&same[0].0);
            self.text.push_str("=\"");
            for (at, (_, _, value)) in same.iter().enumerate() {
                if at > 0 {
                    self.text.push(';');
                }
                push_value(&mut self.text, value);
            }
            self.text.push('"');
        }
        &self.text
    }
}

fn push_value(text: &mut String, value: &Value) {
    match value {
        Value::String(value) => push_escaped(text, value.as_str()),
        value => {
            let _ = write!(Escaping(text), "{value}");
        }
    }
}

/// Appends what is written to it, escaped.
struct Escaping<'text>(&'text mut String);

impl Write for Escaping<'_> {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        push_escaped(self.0, part);
        Ok(())
    }
}

/// Converts a name to a Prometheus metric name: letters, digits, `_` and `:`, not beginning with a digit.
pub(crate) fn metric_name(name: &str) -> Cow<'_, str> {
    sanitize(name, |letter| letter == ':')
}

/// Converts a key to a Prometheus label name: letters, digits and `_`, not beginning with a digit.
fn label_name(key: &str) -> Cow<'_, str> {
    match sanitize(key, |_| false) {
        // Prometheus stores the metric's name in this label.
        name if name == "__name__" => Cow::Borrowed("exported___name__"),
        name if name.is_empty() => Cow::Borrowed("_"),
        name => name,
    }
}

/// Replaces each invalid character by `_`, and prepends `_` to a leading digit.
fn sanitize(name: &str, further: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_valid =
        |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || further(letter);
    let digit_first = name.starts_with(|first: char| first.is_ascii_digit());
    if !digit_first && name.chars().all(is_valid) {
        return Cow::Borrowed(name);
    }
    let prefix = digit_first.then_some('_');
    let letters = name
        .chars()
        .map(|letter| if is_valid(letter) { letter } else { '_' });
    Cow::Owned(prefix.into_iter().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use opentelemetry::StringValue;

    use super::*;

    #[test]
    fn names_are_valid_in_prometheus() {
        for (name, metric, label) in [
            ("requests_total", "requests_total", "requests_total"),
            (
                "http.server-requests/s",
                "http_server_requests_s",
                "http_server_requests_s",
            ),
            ("rule:sum", "rule:sum", "rule_sum"),
            ("2xx", "_2xx", "_2xx"),
            ("größe", "gr__e", "gr__e"),
            ("_", "_", "_"),
        ] {
            assert_eq!((&*metric_name(name), &*label_name(name)), (metric, label));
        }
        assert_eq!(label_name("__name__"), "exported___name__");
        assert_eq!(label_name(""), "_");
    }

    #[test]
    fn attributes_of_one_label_are_joined_by_key() {
        let attributes = [
            KeyValue::new("b", "x\"\n\\"),
            KeyValue::new("a_b", 2),
            KeyValue::new("a.b", 1),
            KeyValue::new(
                "list",
                Value::Array(vec![StringValue::from("p\"q"), "r".into()].into()),
            ),
        ];
        assert_eq!(
            Labels::default().of_numbers(attributes.iter()),
            r#"a_b="1;2",b="x\"\n\\",list="[\"p\"q\",\"r\"]""#
        );
        let attributes = [KeyValue::new("le", "1")];
        let mut labels = Labels::default();
        assert_eq!(
            labels.of_histograms(attributes.iter()),
            r#"exported_le="1""#
        );
        assert_eq!(labels.of_numbers(attributes.iter()), r#"le="1""#);
    }
}
