//! The Collector is killed or suspended at random, for up to 15 s each.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::collector::{Collector, Keep};
use super::latency::p99_ratios;
use super::load::PairedLoad;
use super::matrix::{REQUEST_INTERVAL, drain};
use super::service::{Balance, Service, Settings};
use super::{Error, Programs, Protocol};

const SHORTEST: Duration = Duration::from_secs(3);
const LONGEST: Duration = Duration::from_secs(15);

/// Outages of a Collector.
#[derive(Debug, Default)]
pub struct Outages {
    /// How long the load lasted.
    pub lasted: Duration,
    /// How often the Collector was killed.
    pub killed: u32,
    /// How often it was suspended.
    pub suspended: u32,
    /// The sum of all outages.
    pub away: Duration,
}

/// What a run showed.
#[derive(Debug)]
pub struct Chaos {
    /// The protocol.
    pub protocol: Protocol,
    /// The outages of the Collector.
    pub outages: Outages,
    /// Spans and log records.
    pub balances: [Balance; 2],
    /// Different spans and log records that the Collector received.
    pub received: [u64; 2],
    /// Spans and log records that it received again.
    pub received_again: u64,
    /// The longest queue of spans that was seen.
    pub longest_queue: u64,
    /// The service's p99 divided by that of the service without outages, in each second.
    pub p99_ratios: Vec<f64>,
}

impl Chaos {
    /// Returns the promises that do not hold.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (balance, received) in self.balances.iter().zip(self.received) {
            let arrived = balance.recorded == received && balance.recorded == balance.exported;
            if balance.dropped() > 0 || !arrived {
                problems.push(format!("received {received} of {balance:?}"));
            }
        }
        problems
    }
}

/// Runs for this time. The seed chooses the outages.
pub fn run(
    programs: &Programs,
    protocol: Protocol,
    time: Duration,
    seed: u64,
) -> Result<Chaos, Error> {
    let start =
        |name, keep| Collector::start(&programs.collector, &programs.folder.join(name), keep);
    let mut collector = start("collector", Keep::Everything)?;
    let control_collector = start("control", Keep::Metrics)?;
    let start_service = |collector: &Collector, log| {
        let settings = Settings::plain(protocol, collector.address(protocol));
        Service::start(&programs.service, &settings, &programs.folder.join(log))
    };
    let mut service = start_service(&collector, "service.log")?;
    let control = start_service(&control_collector, "control.log")?;
    let load = PairedLoad::start([service.address, control.address], REQUEST_INTERVAL);
    let mut longest_queue = 0;
    let outages = outages(&mut collector, time, seed, |lasts, _| {
        let began = Instant::now();
        while began.elapsed() < lasts {
            longest_queue = longest_queue.max(service.state()?.spans().queued);
            sleep(Duration::from_millis(200));
        }
        Ok(())
    })?;
    let windows = load.stop()?;
    drain(&mut service)?;
    let last = service.stop()?;
    control.stop()?;
    let received = collector.received()?;
    Ok(Chaos {
        protocol,
        outages,
        balances: [last.spans(), last.log_records()],
        received: received.different(),
        received_again: received.again(),
        longest_queue,
        p99_ratios: p99_ratios(&windows),
    })
}

/// Kills and suspends the Collector at random for this time. `wait` waits between the outages, and during them, when its
/// second argument is true.
pub(super) fn outages(
    collector: &mut Collector,
    time: Duration,
    seed: u64,
    mut wait: impl FnMut(Duration, bool) -> Result<(), Error>,
) -> Result<Outages, Error> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut outages = Outages::default();
    let started = Instant::now();
    while started.elapsed() + LONGEST < time {
        wait(Duration::from_millis(random.u64(2_000..6_000)), false)?;
        let began = Instant::now();
        let lasts = Duration::from_millis(
            random.u64(SHORTEST.as_millis() as u64..LONGEST.as_millis() as u64 - 1_000),
        );
        if random.bool() {
            outages.killed += 1;
            collector.kill();
            wait(lasts, true)?;
            collector.start_again()?;
        } else {
            outages.suspended += 1;
            collector.suspend()?;
            wait(lasts, true)?;
            collector.resume()?;
        }
        outages.away += began.elapsed();
    }
    wait(time.saturating_sub(started.elapsed()), false)?;
    outages.lasted = started.elapsed();
    Ok(outages)
}
