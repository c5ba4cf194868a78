//! The Grafana dashboards below `grafana/dashboards/`, made from the SDK's catalogue and one description each.
//!
//! ```text
//! content/    what each dashboard shows, in the order of its panels
//! query/      PromQL that knows which metrics and labels exist (the catalogue's, and a short list of others)
//! panel.rs    one panel: what it asks, its unit, what to do about it
//! alert/      the alerts of prometheus/*_rules.yml: the panels' thresholds are theirs
//! layout.rs   where each panel goes
//! json/       the same in Grafana's words
//! ```
//!
//! A metric, a label or a bucket that does not exist is a problem of the generation, so a renamed metric cannot leave
//! a dead panel:
//!
//! ```
//! use xtask::dashboards::query::{Range, Scope};
//!
//! let scope = Scope::all();
//! let published = scope.counter("rustok_event_bus_published_total");
//! let rate = published.rate(Range::Rate).sum_by(["event_type"]);
//! assert_eq!(
//!     rate.text(),
//!     "sum by (event_type) (rate(rustok_event_bus_published_total[$__rate_interval]))"
//! );
//! assert!(rate.problems().is_empty());
//!
//! let renamed = scope.counter("rustok_event_bus_sent_total").rate(Range::Rate).sum_by(["event_type"]);
//! assert_eq!(renamed.problems(), ["no metric rustok_event_bus_sent_total is declared"]);
//! ```

pub mod alert;
mod content;
mod dashboard;
mod json;
mod layout;
mod link;
mod panel;
pub mod query;
mod variable;

pub use dashboard::Dashboard;
pub use link::{RUNBOOK, runbook_url};

use crate::catalogue::Generated;
use crate::slo;

/// Every dashboard, as it should be now.
///
/// # Errors
///
/// When `prometheus/slo.yaml`, whose objectives one of them shows, cannot be used.
pub fn all() -> Result<Vec<Dashboard>, slo::Problems> {
    Ok(vec![
        content::overview::dashboard(),
        content::advanced::dashboard(),
        content::slo::dashboard(&slo::objectives()?),
        content::traces::dashboard(),
        content::telemetry::dashboard(),
    ])
}

/// The files of every dashboard.
///
/// # Errors
///
/// When a query or a panel refers to what does not exist; all such problems at once.
pub fn generate() -> Result<Vec<Generated>, Problems> {
    let dashboards = all().map_err(|problems| Problems(vec![problems.to_string()]))?;
    let problems: Vec<_> = dashboards.iter().flat_map(Dashboard::problems).collect();
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    Ok(dashboards
        .iter()
        .map(|dashboard| Generated {
            path: dashboard.path,
            content: json::text(dashboard),
        })
        .collect())
}

/// What is wrong with the descriptions of the dashboards.
#[derive(Debug, thiserror::Error)]
#[error("the dashboards refer to what does not exist:\n  {}", .0.join("\n  "))]
pub struct Problems(Vec<String>);
