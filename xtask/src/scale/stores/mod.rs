//! Metrics in stores that scale: the committed overlay for remote write, into Prometheus, Thanos and VictoriaMetrics.
//!
//! - [`dashboards`]: every query of every dashboard in all three.
//! - [`rules`]: the rule files in all three, and an alert that fires.
//! - [`receivers`]: what is lost when a receiver of Thanos is killed.
//! - [`replicas`]: two Collectors that write the same series.
//!
//! [`site`] starts the programs. Prometheus is the reference: it receives the same requests of the Collector as the
//! stores, so each store has the same samples.

pub mod dashboards;
mod known;
mod overlay;
pub mod receivers;
pub mod replicas;
pub mod rules;
pub mod site;
pub(super) mod thanos;

use std::path::PathBuf;
use std::time::SystemTime;

pub use super::Error;

/// The programs of a run, and the folder for its files.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The Collector.
    pub collector: PathBuf,
    /// Jaeger.
    pub jaeger: PathBuf,
    /// Prometheus.
    pub prometheus: PathBuf,
    /// Thanos.
    pub thanos: PathBuf,
    /// VictoriaMetrics.
    pub victoria_metrics: PathBuf,
    /// VictoriaMetrics' evaluation of rules.
    pub vmalert: PathBuf,
    /// `rustok-server`.
    pub server: PathBuf,
    /// The folder for files, which a run replaces.
    pub folder: PathBuf,
}

/// A store, or what evaluates rules on it.
#[derive(Debug, Clone)]
pub struct Store {
    /// Its name.
    pub name: &'static str,
    /// The address of its API, which is that of Prometheus.
    pub url: String,
}

/// Returns the time in seconds since 1970.
fn now() -> f64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    now.as_secs_f64()
}
