//! Traffic on purpose: what `--traffic` does.
//!
//! The driver is a client like any other. It sends real HTTP requests to the address that the
//! service listens on, at a bounded rate and a bounded number at a time, and only ever to
//! itself and its inventory. `actions.rs` has the mix; every now and then the inventory is
//! told to have an outage, so that the circuit breaker has something to do.

mod actions;
mod shop;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use shop::Shop;

/// Time between two requests.
const PACE: Duration = Duration::from_millis(35);
/// Requests at a time.
const AT_A_TIME: usize = 16;
/// When the first outage begins.
const FIRST_OUTAGE: Duration = Duration::from_secs(5);
/// Time from one outage to the next.
const OUTAGE_EVERY: Duration = Duration::from_secs(30);
/// Seconds that an outage lasts.
const OUTAGE_SECONDS: u64 = 4;

/// Sends requests to the service.
#[derive(Debug)]
pub struct Driver {
    shop: Arc<Shop>,
}

impl Driver {
    /// A driver for the service at `service` and its inventory at `inventory`.
    #[must_use]
    pub fn new(service: SocketAddr, inventory: Url) -> Self {
        Self {
            shop: Arc::new(Shop::new(service, inventory)),
        }
    }

    /// Sends requests until `stop`, then waits for those that are under way.
    pub async fn run(&self, stop: &CancellationToken) {
        let running = TaskTracker::new();
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.send(&running) => {}
            () = self.break_things() => {}
        }
        running.close();
        running.wait().await;
        tracing::info!(
            requests = self.shop.requests(),
            failed = self.shop.failed(),
            "traffic ended"
        );
    }

    async fn send(&self, running: &TaskTracker) {
        let slots = Arc::new(Semaphore::new(AT_A_TIME));
        let mut tick = interval(PACE);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut next = 0_usize;
        loop {
            tick.tick().await;
            // Without a slot the number is kept: what is done once must not be left out.
            if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
                let (shop, number) = (Arc::clone(&self.shop), next);
                next += 1;
                running.spawn(async move {
                    actions::run(&shop, number).await;
                    drop(slot);
                });
            }
        }
    }

    async fn break_things(&self) {
        let mut tick = interval_at(Instant::now() + FIRST_OUTAGE, OUTAGE_EVERY);
        loop {
            tick.tick().await;
            self.shop.outage(OUTAGE_SECONDS).await;
        }
    }
}
