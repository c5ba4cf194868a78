//! Simulated traffic as series of samples.

use super::super::objective::{Measure, Objective};

/// The simulated service.
pub(super) const JOB: &str = "rustok-server";

/// Requests at a constant rate. Each phase has its own share of failures.
pub(super) struct Traffic {
    /// The minutes of each phase, and its failures per minute.
    phases: Vec<(u32, f64)>,
    /// Requests per minute.
    requests: f64,
    measure: Measure,
}

impl Traffic {
    /// Creates traffic of `rate` requests per second. Each phase has minutes and a burn rate.
    pub(super) fn new(objective: &Objective, rate: f64, phases: &[(u32, f64)]) -> Self {
        let requests = 60.0 * rate;
        Self {
            phases: phases
                .iter()
                .map(|&(minutes, burn)| (minutes, requests * burn * objective.budget()))
                .collect(),
            requests,
            measure: objective.measure.clone(),
        }
    }

    /// Creates traffic with one phase.
    pub(super) fn steady(objective: &Objective, rate: f64, minutes: u32, burn: f64) -> Self {
        Self::new(objective, rate, &[(minutes, burn)])
    }

    /// Returns the total minutes.
    pub(super) fn minutes(&self) -> u32 {
        self.phases.iter().map(|(minutes, _)| minutes).sum()
    }

    /// Returns each series with its values, one per minute.
    pub(super) fn series(&self) -> Vec<(String, String)> {
        let (all, bad) = (|_| self.requests, |failed| failed);
        let good = |failed| self.requests - failed;
        match &self.measure {
            Measure::Availability { counter, failed } => {
                let labels = |value: fn(&str) -> String| -> String {
                    failed
                        .iter()
                        .map(|(label, pattern)| format!(", {label}=\"{}\"", value(pattern)))
                        .collect()
                };
                let series =
                    |labels| format!("'{counter}{{job=\"{JOB}\", instance=\"a\"{labels}}}'");
                vec![
                    (series(labels(|_| "good".to_owned())), self.values(good)),
                    (series(labels(matching)), self.values(bad)),
                ]
            }
            Measure::Latency { histogram, within } => {
                let series = |suffix: &str, labels: &str| {
                    format!("'{histogram}_{suffix}{{job=\"{JOB}\", instance=\"a\"{labels}}}'")
                };
                let in_time = series("bucket", &format!(", le=\"{within}\""));
                vec![
                    (in_time, self.values(good)),
                    (series("bucket", ", le=\"+Inf\""), self.values(all)),
                    (series("count", ""), self.values(all)),
                ]
            }
        }
    }

    /// Returns the values of a counter in promtool's notation.
    fn values(&self, a_minute: impl Fn(f64) -> f64) -> String {
        let mut counter = 0.0;
        let mut words = vec!["0".to_owned()];
        for &(minutes, failed) in &self.phases {
            let step = rounded(a_minute(failed));
            words.push(format!(
                "{}+{step}x{}",
                rounded(counter + step),
                minutes - 1
            ));
            counter += step * f64::from(minutes);
        }
        words.join(" ")
    }
}

/// Rounds to six decimal places, which no burn rate shows.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// Returns a text that matches a simple pattern such as `5..|panic`.
fn matching(pattern: &str) -> String {
    let first = pattern.split('|').next().unwrap_or_default();
    first.replace('.', "0")
}

#[cfg(test)]
mod tests {
    use super::super::super::objective::tests::availability;
    use super::*;

    #[test]
    fn a_burn_rate_is_a_share_of_the_requests() {
        let traffic = Traffic::new(&availability(), 1.0, &[(10, 0.0), (5, 10.0)]);
        assert_eq!(traffic.minutes(), 15);
        assert_eq!(
            traffic.series(),
            [
                (
                    "'requests_total{job=\"rustok-server\", instance=\"a\", status=\"good\"}'"
                        .to_owned(),
                    "0 60+60x9 659.4+59.4x4".to_owned()
                ),
                (
                    "'requests_total{job=\"rustok-server\", instance=\"a\", status=\"500\"}'"
                        .to_owned(),
                    "0 0+0x9 0.6+0.6x4".to_owned()
                ),
            ]
        );
    }
}
