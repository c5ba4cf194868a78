//! Looks metrics up by name.

use std::collections::BTreeSet;

use rustok_telemetry::metrics::{Kind, catalogue};

use super::metric::{Counter, Gauge, Histogram, Series};
use super::third_party::THIRD_PARTY;
use crate::rules;

/// Labels of every metric of a service in Prometheus: `service.name` and `service.instance.id`.
pub(super) const TARGET: [&str; 2] = ["job", "instance"];

/// The selections of a dashboard's variables.
///
/// Each variable filters the metrics that have its label.
#[derive(Debug, Clone, Copy)]
pub struct Scope(&'static [(&'static str, &'static str)]);

impl Scope {
    /// Creates a scope from pairs of a label and the variable that filters it.
    pub const fn of(label_and_variable: &'static [(&'static str, &'static str)]) -> Self {
        Self(label_and_variable)
    }

    /// Creates a scope without filters.
    pub const fn all() -> Self {
        Self(&[])
    }

    /// Looks up a counter in the catalogue and the third-party list.
    pub fn counter(self, name: &str) -> Counter {
        Counter(self.series(name, "counter").series)
    }

    /// Looks up a gauge in the catalogue, the third-party list and the recorded series of `prometheus/*_rules.yml`.
    pub fn gauge(self, name: &str) -> Gauge {
        let Found {
            series, is_pushed, ..
        } = self.series(name, "gauge");
        Gauge { series, is_pushed }
    }

    /// Looks up a histogram in the catalogue and the third-party list.
    pub fn histogram(self, name: &str) -> Histogram {
        let Found {
            series, boundaries, ..
        } = self.series(name, "histogram");
        Histogram { series, boundaries }
    }

    fn series(self, name: &str, wanted: &str) -> Found {
        let mut series = Series {
            name: name.to_owned(),
            labels: BTreeSet::new(),
            matchers: Vec::new(),
            problems: Vec::new(),
        };
        let Some(known) = known(name) else {
            series
                .problems
                .push(format!("no metric {name} is declared"));
            return Found {
                series,
                boundaries: Vec::new(),
                is_pushed: false,
            };
        };
        if known.kind != wanted {
            let problem = format!("{name} is a {}, not a {wanted}", known.kind);
            series.problems.push(problem);
        }
        for (label, variable) in self.0 {
            if known.labels.contains(label) {
                series.matchers.push(format!("{label}=~\"${variable}\""));
            }
        }
        series.labels = known.labels;
        Found {
            series,
            boundaries: known.boundaries,
            is_pushed: known.is_pushed,
        }
    }
}

/// The result of a lookup.
struct Found {
    series: Series,
    boundaries: Vec<f64>,
    is_pushed: bool,
}

struct Known {
    kind: &'static str,
    labels: BTreeSet<&'static str>,
    boundaries: Vec<f64>,
    is_pushed: bool,
}

fn known(name: &str) -> Option<Known> {
    let declared = catalogue().into_iter().find(|metric| metric.name == name);
    if let Some(metric) = declared {
        let labels = metric.labels.iter().map(|label| label.name);
        return Some(Known {
            kind: metric.kind.prometheus_type(),
            labels: labels.chain(TARGET).collect(),
            boundaries: match metric.kind {
                Kind::Histogram => metric.boundaries.to_vec(),
                _ => Vec::new(),
            },
            is_pushed: true,
        });
    }
    if let Some(other) = THIRD_PARTY.iter().find(|metric| metric.name == name) {
        return Some(Known {
            kind: other.kind.prometheus_type(),
            labels: other.labels.iter().copied().chain(TARGET).collect(),
            boundaries: Vec::new(),
            is_pushed: false,
        });
    }
    Some(Known {
        kind: "gauge",
        labels: labels_of_recorded(name)?,
        boundaries: Vec::new(),
        is_pushed: false,
    })
}

/// Returns the labels of a recorded series: those in the prefix of its name (`job_slo:…`) and those that its rule adds.
fn labels_of_recorded(name: &str) -> Option<BTreeSet<&'static str>> {
    let mut rules = rules::all().ok()?.iter();
    let rule = rules.find(|rule| rule.record.as_deref() == Some(name))?;
    let (level, _) = rule.record.as_deref()?.split_once(':')?;
    let added = rule.labels.keys().map(String::as_str);
    Some(level.split('_').chain(added).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{Match, Range};
    use super::*;

    const SCOPE: Scope = Scope::of(&[("job", "job"), ("tenant_id", "tenant")]);

    #[test]
    fn a_metric_is_narrowed_only_by_labels_that_it_has() {
        let published = SCOPE.counter("rustok_event_bus_published_total");
        let depth = SCOPE.gauge("rustok_event_bus_queue_depth");
        assert_eq!(
            published.increase(Range::Shown).text(),
            "increase(rustok_event_bus_published_total{job=~\"$job\", tenant_id=~\"$tenant\"}[$__range])"
        );
        assert_eq!(
            depth.value().text(),
            "rustok_event_bus_queue_depth{job=~\"$job\"} \
             unless on (job, instance) job_instance:service_instance_info:gone"
        );
    }

    #[test]
    fn what_rules_record_has_the_labels_of_its_level() {
        let burn = SCOPE.gauge("job_slo:slo_burn:rate1h").value();
        assert_eq!(burn.text(), "job_slo:slo_burn:rate1h{job=~\"$job\"}");
        assert_eq!(burn.max_by(["job", "slo"]).problems(), [""; 0]);
        let renamed = SCOPE.gauge("job_slo:slo_burnt:rate1h").value();
        assert_eq!(
            renamed.problems(),
            ["no metric job_slo:slo_burnt:rate1h is declared"]
        );
    }

    #[test]
    fn what_does_not_exist_is_a_problem() {
        let requests = SCOPE.histogram("rustok_http_request_duration_seconds");
        for (expr, problem) in [
            (
                SCOPE.gauge("rustok_http_requests_total").value(),
                "rustok_http_requests_total is a counter, not a gauge",
            ),
            (
                SCOPE
                    .counter("rustok_http_requests_total")
                    .with("route", Match::Is("/"))
                    .rate(Range::Rate),
                "no label `route` of rustok_http_requests_total",
            ),
            (
                requests.at_most(0.3).rate(Range::Rate),
                "rustok_http_request_duration_seconds has no bucket up to 0.3",
            ),
            (
                requests
                    .buckets()
                    .rate(Range::Rate)
                    .sum_by(["job"])
                    .quantile(0.5),
                "no `le` for a quantile of sum by (job) \
                 (rate(rustok_http_request_duration_seconds_bucket{job=~\"$job\"}[$__rate_interval]))",
            ),
            (
                requests.quantile(0.5, ["status"]),
                "no label `status` in \
                 rate(rustok_http_request_duration_seconds_bucket{job=~\"$job\"}[$__rate_interval])",
            ),
        ] {
            assert_eq!(expr.problems(), [problem]);
        }
    }
}
