//! The alerts in `prometheus/*_rules.yml`. A panel takes its threshold from the alert on the same series.

mod condition;

pub use condition::{Condition, Fires};

use crate::rules::{self, Rule};

/// An alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// The name, which is also the heading in the runbook.
    pub name: String,
    /// Comparisons with a number; empty if the alert fires for a missing series.
    pub conditions: Vec<Condition>,
    /// The severity.
    pub severity: Severity,
}

/// The severity of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// No action needed: `Watchdog` shows that alerting works.
    None,
    /// Needs action within the day.
    Warning,
    /// Needs action at once.
    Critical,
}

/// Returns every alert.
///
/// # Errors
///
/// If a rule file cannot be read, or a rule cannot be parsed.
pub fn all() -> Result<Vec<Alert>, String> {
    let rules = rules::all().map_err(ToString::to_string)?;
    let alerts = rules.iter().filter(|rule| rule.alert.is_some());
    alerts.map(Alert::of).collect()
}

/// Returns the alert with this name.
///
/// # Errors
///
/// If it does not exist, a rule file cannot be read, or its rule cannot be parsed.
pub fn named(name: &str) -> Result<Alert, String> {
    let rules = rules::all().map_err(ToString::to_string)?;
    let mut rules = rules.iter();
    let rule = rules.find(|rule| rule.alert.as_deref() == Some(name));
    Alert::of(rule.ok_or_else(|| format!("no rule has the alert {name}"))?)
}

impl Alert {
    fn of(rule: &Rule) -> Result<Self, String> {
        let name = rule.alert.clone().unwrap_or_default();
        let severity = match rule.labels.get("severity").map(String::as_str) {
            Some("critical" | "page") => Severity::Critical,
            Some("warning" | "ticket") => Severity::Warning,
            Some("none") => Severity::None,
            other => return Err(format!("{name}: unknown severity {other:?}")),
        };
        let conditions =
            condition::of(&rule.expr).map_err(|problem| format!("{name}: {problem}"))?;
        Ok(Self {
            name,
            conditions,
            severity,
        })
    }

    /// Returns the distinct thresholds of series whose names begin with `of`.
    pub fn thresholds(&self, of: &str) -> Vec<Fires> {
        let mut thresholds = Vec::new();
        for condition in &self.conditions {
            let is_of = condition.series.iter().any(|series| series.starts_with(of));
            if is_of && !thresholds.contains(&condition.fires) {
                thresholds.push(condition.fires);
            }
        }
        thresholds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_rule_has_is_a_problem() {
        assert_eq!(
            named("HighErorRate"),
            Err("no rule has the alert HighErorRate".to_owned())
        );
    }

    #[test]
    fn every_rule_is_understood() {
        let alerts = all().expect("the alerts");
        assert!(alerts.len() > 20, "{} alerts", alerts.len());
        let conditions = |name| named(name).expect("an alert").conditions.len();
        assert_eq!(conditions("HighErrorRate"), 1);
        assert_eq!(conditions("HttpAvailabilityFastBurn"), 6);
        for missing in ["TargetMissing", "ServiceMetricsMissing", "Watchdog"] {
            assert_eq!(conditions(missing), 0, "{missing}");
        }
    }

    #[test]
    fn thresholds_are_selected_by_series() {
        let alert = named("HttpAvailabilityFastBurn").expect("an alert");
        assert_eq!(alert.thresholds("job_slo:slo_burn:").len(), 2);
        assert_eq!(alert.thresholds("job_slo:slo_requests:").len(), 1);
        assert_eq!(alert.thresholds("").len(), 3);
    }
}
