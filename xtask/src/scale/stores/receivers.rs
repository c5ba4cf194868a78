//! What is lost when a receiver of Thanos is killed and started again.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::site::Site;
use super::{Error, Store, now};
use crate::scale::eventually;
use crate::stack::query::prometheus_query_past;

/// How long the receiver is away.
const AWAY: Duration = Duration::from_secs(10);
/// The samples that are counted: of many series, which both receivers share, from before the kill until after it.
const COUNTED: &str = "rustok_http_request_duration_seconds_bucket{job=\"rustok-server\"}[1m]";
/// Time for everything to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(90);

/// What became of the samples.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Samples of the service in the reference.
    pub sent: f64,
    /// Samples that are missing in Thanos.
    pub lost: f64,
    /// The time until everything was there, from when the receiver was back.
    pub recovery: Duration,
    /// The answer of the querier while the receiver was away: samples, or its error.
    pub meanwhile: Result<f64, String>,
}

impl Outcome {
    /// Returns what is wrong, if nothing may be lost.
    pub fn problems(&self) -> Vec<String> {
        match self.lost {
            0.0 => Vec::new(),
            _ => vec![format!("samples are lost: {self:?}")],
        }
    }
}

/// Kills a receiver under traffic, and starts it again.
pub fn kill(site: &mut Site) -> Result<Outcome, Error> {
    let [reference, thanos, _] = site.stores.clone();
    site.thanos.receivers[1].kill();
    sleep(AWAY);
    let meanwhile = samples(&thanos, now()).map_err(|error| error.to_string());
    site.thanos.receivers[1].start()?;
    let started = Instant::now();
    // An instant after the recovery's beginning, of which the reference has everything.
    sleep(Duration::from_secs(10));
    let instant = now() - 5.0;
    let sent = samples(&reference, instant)?;
    let arrived = eventually(ARRIVES_WITHIN, || {
        let arrived = samples(&thanos, instant)?;
        match arrived >= sent {
            true => Ok(arrived),
            false => Err(format!("{arrived} of {sent} samples").into()),
        }
    });
    let recovery = started.elapsed();
    let arrived = match arrived {
        Ok(arrived) => arrived,
        Err(_) => samples(&thanos, instant)?,
    };
    Ok(Outcome {
        sent,
        lost: sent - arrived,
        recovery,
        meanwhile,
    })
}

/// Returns how many samples of the service a store has, up to an instant.
fn samples(store: &Store, instant: f64) -> Result<f64, Error> {
    let query = format!("sum(count_over_time({COUNTED}))");
    let parameters = [("partial_response", "false")];
    let found = prometheus_query_past(&store.url, &query, instant, &parameters)?;
    Ok(found.first().map_or(0.0, |sample| sample.value))
}
