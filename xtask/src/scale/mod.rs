//! Two tiers of Collectors, run for real: agents, gateways with tail sampling, and Jaeger.
//!
//! - [`shares`]: which traces the gateways keep.
//! - [`late`]: what they keep of traces that show only after the decision that they have to be kept.
//! - [`kills`]: what is lost when a part is killed.
//! - [`kafka`]: the same with Kafka between the tiers, and an outage of all gateways.
//! - [`jaeger`]: several Jaegers on one store, Cassandra or OpenSearch.
//! - [`stores`]: metrics in Thanos and VictoriaMetrics.
//! - [`large`]: all of it together, for two services.
//! - [`size`]: what it needs for any number of them.
//!
//! [`traces`] sends spans as two services would, [`load`] at a steady rate, and [`tiers`] starts the programs with the
//! committed configurations. [`maven`] fetches Kafka, the [`broker`], and the stores of Jaeger.

pub mod broker;
pub mod jaeger;
pub mod kafka;
pub mod kept;
pub mod kills;
pub mod large;
pub mod late;
pub mod load;
pub mod maven;
pub mod node;
mod process;
pub mod service;
pub mod shares;
pub mod size;
pub mod stores;
pub mod tiers;
pub mod traces;

use std::thread::sleep;
use std::time::{Duration, Instant};

pub use crate::faults::Error;

/// Returns a client for programs on this machine.
fn client() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .proxy(None)
        .build()
        .new_agent()
}

/// Calls `attempt` until it returns a value.
///
/// # Errors
///
/// The last error, after `limit`.
fn eventually<T>(
    limit: Duration,
    mut attempt: impl FnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let started = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) if started.elapsed() > limit => {
                return Err(format!("after {} s: {error}", limit.as_secs()).into());
            }
            Err(_) => sleep(Duration::from_millis(200)),
        }
    }
}
