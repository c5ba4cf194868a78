//! Names of the series that the rules record. Each has the labels `job` and `slo`.

use super::burn::{BASE, Window, windows};
use super::objective::Objective;

/// The burn rate: how many times as fast as allowed the budget is spent.
pub(crate) fn burn(window: Window) -> String {
    format!("job_slo:slo_burn:rate{}", window.name)
}

/// Returns the windows with a burn rate, from short to long.
pub(crate) fn burn_windows() -> Vec<Window> {
    let mut all = vec![BASE];
    all.extend(windows());
    all
}

/// Requests per second.
pub(crate) fn requests(window: Window) -> String {
    format!("job_slo:slo_requests:rate{}", window.name)
}

/// Failures per second.
pub(super) fn failures(window: Window) -> String {
    format!("job_slo:slo_failures:rate{}", window.name)
}

/// Share of good requests over the objective's window.
pub(crate) fn good(objective: &Objective) -> String {
    format!("job_slo:slo_good:ratio{}d", objective.window_days)
}

/// The remaining budget of the objective's window: 1 without failures, negative if it is overspent.
pub(crate) fn budget_left(objective: &Objective) -> String {
    format!("job_slo:slo_budget_left:ratio{}d", objective.window_days)
}
