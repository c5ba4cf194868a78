//! The part of an objective that defines a failed request, checked against the catalogue.

use rustok_telemetry::metrics::{Declaration, Kind, catalogue};
use serde_json::Value;

use super::fields::Fields;
use super::objective::Measure;

/// Reads the key `availability` or `latency`.
pub(super) fn measure(fields: &mut Fields<'_>) -> Option<Measure> {
    match (fields.take("availability"), fields.take("latency")) {
        (Some(value), None) => availability(fields.below("availability", &value)),
        (None, Some(value)) => latency(fields.below("latency", &value)),
        _ => {
            fields.problem("availability, latency", "exactly one of them is expected");
            None
        }
    }
}

fn availability(mut fields: Fields<'_>) -> Option<Measure> {
    let counter = metric(
        &mut fields,
        "requests",
        &[Kind::Counter, Kind::ObservableCounter],
    );
    let mut failed = Vec::new();
    match fields.take("failed") {
        Some(Value::Object(labels)) if !labels.is_empty() => {
            for (label, pattern) in labels {
                let declared = |metric: &Declaration| metric.labels.iter().any(|l| l.name == label);
                if counter.is_some_and(|metric| !declared(metric)) {
                    fields.problem("failed", format_args!("the metric has no label {label}"));
                }
                match pattern.as_str().filter(|pattern| !pattern.is_empty()) {
                    Some(pattern) => failed.push((label, pattern.to_owned())),
                    None => fields.problem(
                        "failed",
                        format_args!("a regular expression is expected for {label}, not {pattern}"),
                    ),
                }
            }
        }
        _ => fields.problem("failed", "labels with regular expressions are expected"),
    }
    fields.end();
    Some(Measure::Availability {
        counter: counter?.name.to_owned(),
        failed,
    })
}

fn latency(mut fields: Fields<'_>) -> Option<Measure> {
    let histogram = metric(&mut fields, "requests", &[Kind::Histogram]);
    let within = fields.number("within");
    if let (Some(metric), Some(within)) = (histogram, within)
        && !metric.boundaries.contains(&within)
    {
        let boundaries: Vec<_> = metric.boundaries.iter().map(f64::to_string).collect();
        fields.problem(
            "within",
            format_args!(
                "{within} is not a boundary of {}; the boundaries are {}",
                metric.name,
                boundaries.join(", ")
            ),
        );
    }
    fields.end();
    Some(Measure::Latency {
        histogram: histogram?.name.to_owned(),
        within: within?,
    })
}

/// Returns the metric of the catalogue that a key names; else reports an error.
fn metric(fields: &mut Fields<'_>, key: &str, kinds: &[Kind]) -> Option<&'static Declaration> {
    let name = fields.text(key)?;
    let found = catalogue().into_iter().find(|metric| metric.name == name);
    match found {
        None => fields.problem(key, format_args!("no metric {name} is declared")),
        Some(metric) if !kinds.contains(&metric.kind) => {
            let (is, must) = (metric.kind.prometheus_type(), kinds[0].prometheus_type());
            fields.problem(key, format_args!("{name} is a {is}; a {must} is expected"));
            return None;
        }
        Some(_) => {}
    }
    found
}
