//! The Collector is killed or suspended at random, for up to 15 s each.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::collector::{Collector, Keep};
use super::load::{PairedLoad, p99_excess};
use super::matrix::{REQUEST_INTERVAL, drain};
use super::service::{Balance, Service, Settings};
use super::{Error, Programs, Protocol};

const SHORTEST: Duration = Duration::from_secs(3);
const LONGEST: Duration = Duration::from_secs(15);

/// What a run showed.
#[derive(Debug)]
pub struct Chaos {
    /// The protocol.
    pub protocol: Protocol,
    /// How long the load lasted.
    pub lasted: Duration,
    /// How often the Collector was killed, and suspended.
    pub outages: [u32; 2],
    /// The sum of all outages.
    pub away: Duration,
    /// Spans and log records.
    pub balances: [Balance; 2],
    /// Different spans and log records that the Collector received.
    pub received: [u64; 2],
    /// Spans and log records that it received again.
    pub received_again: u64,
    /// The longest queue of spans that was seen.
    pub longest_queue: u64,
    /// By how much the service's p99 exceeds that of the service without outages.
    pub p99_excess: f64,
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
    let mut random = fastrand::Rng::with_seed(seed);
    let start = |name| {
        let keep = if name == "collector" {
            Keep::Everything
        } else {
            Keep::Metrics
        };
        Collector::start(&programs.collector, &programs.folder.join(name), keep)
    };
    let (mut collector, control_collector) = (start("collector")?, start("control")?);
    let start_service = |collector: &Collector, log| {
        let settings = Settings::plain(protocol, collector.address(protocol));
        Service::start(&programs.service, &settings, &programs.folder.join(log))
    };
    let mut service = start_service(&collector, "service.log")?;
    let control = start_service(&control_collector, "control.log")?;
    let load = PairedLoad::start([service.address, control.address], REQUEST_INTERVAL);
    let started = Instant::now();
    let (mut outages, mut away, mut longest_queue) = ([0, 0], Duration::ZERO, 0);
    let mut watch = |service: &mut Service, lasts: Duration| -> Result<(), Error> {
        let began = Instant::now();
        while began.elapsed() < lasts {
            longest_queue = longest_queue.max(service.state()?.spans().queued);
            sleep(Duration::from_millis(200));
        }
        Ok(())
    };
    while started.elapsed() + LONGEST < time {
        watch(
            &mut service,
            Duration::from_millis(random.u64(2_000..6_000)),
        )?;
        let began = Instant::now();
        let lasts = Duration::from_millis(
            random.u64(SHORTEST.as_millis() as u64..LONGEST.as_millis() as u64 - 1_000),
        );
        let kills = random.bool();
        outages[usize::from(!kills)] += 1;
        match kills {
            true => {
                collector.kill();
                watch(&mut service, lasts)?;
                collector.start_again()?;
            }
            false => {
                collector.suspend()?;
                watch(&mut service, lasts)?;
                collector.resume()?;
            }
        }
        away += began.elapsed();
    }
    watch(&mut service, time.saturating_sub(started.elapsed()))?;
    let lasted = started.elapsed();
    let windows = load.stop()?;
    drain(&mut service)?;
    let last = service.stop()?;
    control.stop()?;
    let received = collector.received()?;
    let different = [received.spans(), received.log_records()];
    let in_all = received.spans_in_all + received.log_records_in_all;
    Ok(Chaos {
        protocol,
        lasted,
        outages,
        away,
        balances: [last.spans(), last.log_records()],
        received: different,
        received_again: in_all - different.iter().sum::<u64>(),
        longest_queue,
        p99_excess: p99_excess(&windows),
    })
}
