//! Faults on purpose: what `--drills` lets a team switch on, to see its alerts fire and end.
//!
//! A part of the service asks [`Faults::is_on`] at the place where the fault would happen, and then fails, waits or
//! misses for real: nothing here touches a metric, so an alert fires for the reason that it is made for. Without
//! `--drills` there is no way to switch anything on.
//!
//! `docs/drills.md` is the page for people on call; `http/drills.rs` has the switches.

mod database;
mod queue;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics;

pub use queue::keep_queue_full;

/// How much longer a request takes while [`Fault::Latency`] is on: more than the 500 ms of the objective.
pub const SLOW_REQUEST: Duration = Duration::from_millis(700);

/// Where nobody listens, for calls that must fail while [`Fault::OpenBreaker`] is on.
pub const NOWHERE: &str = "http://127.0.0.1:9";

/// Something that can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The database refuses every query.
    Errors,
    /// Every request takes 700 ms longer.
    Latency,
    /// Nobody takes events out of the queue, and it fills up.
    FullQueue,
    /// The inventory can't be reached, so that the circuit breaker opens.
    OpenBreaker,
    /// The cache of tenants forgets whom it is asked for.
    ColdCache,
    /// Every query takes 150 ms longer.
    SlowDatabase,
    /// The service stops.
    Stop,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Errors,
        Self::Latency,
        Self::FullQueue,
        Self::OpenBreaker,
        Self::ColdCache,
        Self::SlowDatabase,
        Self::Stop,
    ];

    /// Its name, as in `/drills/{name}` and in the metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// The alert that it is to fire.
    #[must_use]
    pub fn alert(self) -> &'static str {
        self.facts().1
    }

    /// What happens while it is on.
    #[must_use]
    pub fn effect(self) -> &'static str {
        self.facts().2
    }

    /// The fault of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Errors => (
                "errors",
                "HighErrorRate",
                "the database refuses every query, and requests end in 500",
            ),
            Self::Latency => (
                "latency",
                "SlowRequestLatency",
                "every request takes 700 ms longer",
            ),
            Self::FullQueue => (
                "full-queue",
                "HighEventQueueDepth",
                "nobody takes events out of the queue, and it fills up",
            ),
            Self::OpenBreaker => (
                "open-breaker",
                "CircuitBreakerOpen",
                "the inventory can't be reached, and its circuit breaker opens",
            ),
            Self::ColdCache => (
                "cold-cache",
                "LowCacheHitRate",
                "the cache of tenants forgets whom it is asked for",
            ),
            Self::SlowDatabase => (
                "slow-database",
                "SlowDatabaseQueries",
                "every query takes 150 ms longer",
            ),
            Self::Stop => ("stop", "ServiceDown", "the service stops"),
        }
    }
}

/// Which faults are on. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    on: watch::Sender<BTreeSet<Fault>>,
}

impl Faults {
    /// Whether a fault is on.
    #[must_use]
    pub fn is_on(&self, fault: Fault) -> bool {
        self.on.borrow().contains(&fault)
    }

    /// Switches a fault on or off.
    pub fn switch(&self, fault: Fault, on: bool) {
        let changed = self.on.send_if_modified(|faults| {
            if on {
                faults.insert(fault)
            } else {
                faults.remove(&fault)
            }
        });
        if changed {
            metrics::update_drill(fault.name(), i64::from(on));
            tracing::warn!(fault = fault.name(), on, "a drill was switched");
        }
    }

    /// Waits until a fault is on, or until it is off.
    pub async fn wait_until(&self, fault: Fault, on: bool) {
        let mut watched = self.on.subscribe();
        // It fails only when nobody can switch any more, and `self` can.
        let _ = watched
            .wait_for(|faults| faults.contains(&fault) == on)
            .await;
    }
}

/// Stops the service once it is told so.
pub async fn stop_service(faults: Faults, stop: CancellationToken) {
    faults.wait_until(Fault::Stop, true).await;
    stop.cancel();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_again_and_are_path_segments() {
        for fault in Fault::ALL {
            assert_eq!(Fault::named(fault.name()), Some(fault));
            assert!(
                fault
                    .name()
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '-')
            );
        }
        assert_eq!(Fault::named("fire"), None);
    }

    #[tokio::test]
    async fn waiters_observe_a_switch_in_a_clone() {
        let faults = Faults::default();
        let clone = faults.clone();
        let waiting = tokio::spawn(async move { clone.wait_until(Fault::FullQueue, true).await });
        faults.switch(Fault::Latency, true);
        assert!(!faults.is_on(Fault::FullQueue));
        faults.switch(Fault::FullQueue, true);
        waiting.await.expect("no panic");
        faults.switch(Fault::FullQueue, false);
        faults.wait_until(Fault::FullQueue, false).await;
        assert!(faults.is_on(Fault::Latency));
    }
}
