//! The alerts, as `prometheus/*_rules.yml` has them. A panel that shows what an alert watches takes its threshold from
//! the rule.

mod condition;

pub use condition::{Condition, Fires};

use crate::rules::{self, Rule};

/// An alert: its name, and when it fires.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its name, which is its heading in the runbook too.
    pub name: String,
    /// What it holds against a number. None if it fires because something is missing.
    pub conditions: Vec<Condition>,
    /// How bad it is when it fires.
    pub severity: Severity,
}

/// How bad it is when an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Not at all: it shows that alerts work.
    None,
    /// Somebody has to look today.
    Warning,
    /// Somebody has to look now.
    Critical,
}

/// Every alert.
///
/// # Errors
///
/// When the rule files cannot be read, or a rule is not understood.
pub fn all() -> Result<Vec<Alert>, String> {
    let rules = rules::all().map_err(ToString::to_string)?;
    let alerts = rules.iter().filter(|rule| rule.alert.is_some());
    alerts.map(Alert::of).collect()
}

/// The alert of this name.
///
/// # Errors
///
/// When there is none, the rule files cannot be read, or its rule is not understood.
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
            other => return Err(format!("{name}: the severity {other:?} is not known")),
        };
        let conditions =
            condition::of(&rule.expr).map_err(|problem| format!("{name}: {problem}"))?;
        Ok(Self {
            name,
            conditions,
            severity,
        })
    }

    /// The numbers that series of these names are held against, each once.
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
    fn thresholds_are_told_apart_by_their_series() {
        let alert = named("HttpAvailabilityFastBurn").expect("an alert");
        assert_eq!(alert.thresholds("job_slo:slo_burn:").len(), 2);
        assert_eq!(alert.thresholds("job_slo:slo_requests:").len(), 1);
        assert_eq!(alert.thresholds("").len(), 3);
    }
}
