//! An objective, and the PromQL that counts its requests and failures.

use super::burn::BASE;

/// A valid objective of `slo.yaml`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Objective {
    pub(crate) name: String,
    pub(crate) alert: String,
    pub(crate) description: String,
    pub(crate) area: String,
    /// Percentage of requests that must be good.
    pub(crate) percent: f64,
    pub(crate) window_days: u32,
    /// Requests per second below which no alert fires.
    pub(crate) minimum_rate: f64,
    pub(crate) measure: Measure,
}

/// The definition of a failed request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Measure {
    /// The labels match.
    Availability {
        counter: String,
        failed: Vec<(String, String)>,
    },
    /// The request takes longer than `within` seconds.
    Latency { histogram: String, within: f64 },
}

impl Objective {
    /// Returns the share of requests that must be good.
    pub(crate) fn ratio(&self) -> f64 {
        // Rounds away the error of the binary fraction.
        (self.percent * 1e8).round() / 1e10
    }

    /// Returns the share of requests that may fail.
    pub(crate) fn budget(&self) -> f64 {
        1.0 - self.ratio()
    }

    /// Returns the PromQL of requests per second.
    pub(super) fn requests(&self) -> String {
        match &self.measure {
            Measure::Availability { counter, .. } => rate(counter, ""),
            Measure::Latency { histogram, .. } => rate(&format!("{histogram}_count"), ""),
        }
    }

    /// Returns the PromQL of failures per second: zero, not absent, if there are requests and none fails.
    pub(super) fn failures(&self) -> String {
        match &self.measure {
            Measure::Availability { counter, failed } => {
                let matchers: Vec<_> = failed
                    .iter()
                    .map(|(label, pattern)| format!("{label}=~\"{}\"", escaped(pattern)))
                    .collect();
                format!(
                    "{}\nor\n0 * {}",
                    rate(counter, &format!("{{{}}}", matchers.join(","))),
                    self.requests()
                )
            }
            Measure::Latency { histogram, within } => format!(
                "{}\n-\n{}",
                self.requests(),
                rate(
                    &format!("{histogram}_bucket"),
                    &format!("{{{}}}", le(*within))
                )
            ),
        }
    }
}

fn rate(metric: &str, matchers: &str) -> String {
    format!("sum by (job) (rate({metric}{matchers}[{}]))", BASE.name)
}

fn escaped(pattern: &str) -> String {
    pattern.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Returns a matcher for a bucket. A whole number is `1.0` in scraped text, and `1` over OTLP or remote write.
fn le(bound: f64) -> String {
    if bound.fract() == 0.0 {
        format!("le=~\"{bound}([.]0)?\"")
    } else {
        format!("le=\"{bound}\"")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns an availability objective of 99.9 %.
    pub(in super::super) fn availability() -> Objective {
        Objective {
            name: "api".to_owned(),
            alert: "Api".to_owned(),
            description: "failed".to_owned(),
            area: "api".to_owned(),
            percent: 99.9,
            window_days: 30,
            minimum_rate: 0.1,
            measure: Measure::Availability {
                counter: "requests_total".to_owned(),
                failed: vec![("status".to_owned(), "5..".to_owned())],
            },
        }
    }

    #[test]
    fn nines_stay_nines() {
        assert_eq!(availability().ratio().to_string(), "0.999");
    }

    #[test]
    fn without_a_failure_there_are_zero_failures() {
        assert_eq!(
            availability().failures(),
            "sum by (job) (rate(requests_total{status=~\"5..\"}[5m]))\nor\n0 * sum by (job) (rate(requests_total[5m]))"
        );
    }

    #[test]
    fn a_bucket_is_found_on_every_path() {
        assert_eq!(le(0.25), "le=\"0.25\"");
        assert_eq!(le(10.0), "le=~\"10([.]0)?\"");
    }
}
