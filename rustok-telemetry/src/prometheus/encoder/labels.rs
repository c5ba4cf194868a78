//! Converts names and attributes of other meters, and of OpenTelemetry's conventions, to those of Prometheus.

use std::borrow::Cow;

use opentelemetry::Value;

use crate::metrics::{
    Kind,
    snapshot::{MetricSnapshot, Origin},
    store::point::{SPECIAL, push_escaped},
};

/// Writes the text between the braces. Values of attributes that become the same label are joined by `;`.
pub(crate) fn write_labels(text: &mut String, attributes: &[(&str, &Value)], kind: Kind) {
    let label = |(key, value): &(_, _)| match (*key, kind) {
        // The bucket lines of a histogram have a label `le`.
        ("le", Kind::Histogram) => (Cow::Borrowed("exported_le"), *key, *value),
        _ => (label_name(key), *key, *value),
    };
    let mut labels: Vec<_> = attributes.iter().map(label).collect();
    labels.sort_unstable_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    text.clear();
    for same in labels.chunk_by(|a, b| a.0 == b.0) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&same[0].0);
        text.push_str("=\"");
        for (at, (_, _, value)) in same.iter().enumerate() {
            if at > 0 {
                text.push(';');
            }
            push_escaped(text, &value.as_str(), SPECIAL);
        }
        text.push('"');
    }
}

/// Returns the name of a metric in the text. The dotted names of OpenTelemetry's conventions get the suffix of their unit,
/// as in the default translation of the Collector and of Prometheus; others are as declared.
pub(crate) fn text_name<'text>(metric: &MetricSnapshot<'text>) -> Cow<'text, str> {
    let name = metric_name(metric.name);
    let is_of_conventions = metric.origin == Origin::Catalogue && metric.name.contains('.');
    match metric.unit {
        "s" if is_of_conventions => name + "_seconds",
        "By" if is_of_conventions => name + "_bytes",
        _ => name,
    }
}

/// Converts a name to a Prometheus metric name: letters, digits, `_` and `:`, not beginning with a digit.
fn metric_name(name: &str) -> Cow<'_, str> {
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
