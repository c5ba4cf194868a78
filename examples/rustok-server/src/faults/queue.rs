//! A full event queue.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::{Fault, Faults};
use crate::events::{EventBus, Payload};

/// Between two loads of events, so that requests get through meanwhile.
const PAUSE: Duration = Duration::from_millis(25);
/// Events in a load.
const AT_ONCE: usize = 100;
/// Whose events they are. There is no such tenant, so no data of anybody changes.
const TENANT: &str = "drill";

/// Fills the queue, and keeps it full for as long as [`Fault::FullQueue`] is on, during which the worker takes no
/// event out. Its events tell of a deletion of nothing.
pub async fn keep_queue_full(faults: Faults, bus: EventBus) {
    let mut tick = interval(PAUSE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        faults.wait_until(Fault::FullQueue, true).await;
        tick.tick().await;
        for _ in 0..bus.room().min(AT_ONCE) {
            let id = TENANT.to_owned();
            bus.publish(TENANT, Payload::ProductDeleted { id });
        }
    }
}
