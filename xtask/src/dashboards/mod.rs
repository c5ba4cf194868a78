//! Generates the Grafana dashboards in `grafana/dashboards/`.
//!
//! ```text
//! content/    the panels of each dashboard
//! query/      PromQL, checked against the catalogue and a list of third-party metrics
//! panel.rs    one panel: queries, unit, description, links
//! alert/      the alerts of prometheus/*_rules.yml, which set the thresholds of panels
//! layout.rs   the place of each panel
//! json/       Grafana's JSON
//! file.rs     the committed files, and by selectors.rs what their queries select
//! ```
//!
//! The generation fails for a metric, a label or a bucket that does not exist, so a renamed metric cannot leave an
//! empty panel:
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
pub mod file;
mod json;
mod layout;
mod link;
mod panel;
pub mod query;
pub mod selectors;
mod variable;

pub use dashboard::Dashboard;
pub use link::{RUNBOOK, runbook_url};

use crate::catalogue::Generated;
use crate::slo;

/// Returns every dashboard.
///
/// # Errors
///
/// If `prometheus/slo.yaml`, whose objectives one of them shows, is invalid.
pub fn all() -> Result<Vec<Dashboard>, slo::Problems> {
    Ok(vec![
        content::overview::dashboard(),
        content::advanced::dashboard(),
        content::slo::dashboard(&slo::objectives()?),
        content::traces::dashboard(),
        content::telemetry::dashboard(),
    ])
}

/// Returns the file of every dashboard.
///
/// # Errors
///
/// All references to metrics, labels, buckets or alerts that do not exist.
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

/// All errors in the definitions of the dashboards.
#[derive(Debug, thiserror::Error)]
#[error("the dashboards are invalid:\n  {}", .0.join("\n  "))]
pub struct Problems(Vec<String>);
