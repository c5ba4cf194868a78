//! The Collector is killed or suspended at random, and a service with a spool is killed within two of the outages.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::chaos::{Outages, outages};
use super::collector::{Collector, Keep};
use super::load::PersistentLoad;
use super::matrix::{REQUEST_INTERVAL, drain};
use super::service::{Balance, Service, Settings, State};
use super::spool::Spool;
use super::{Error, Programs, Protocol};

/// Kills of the service.
const KILLS: u32 = 2;
/// The spans, and the log records, that a kill may lose: a batch of 512, and what is recorded in 100 ms, the time that
/// writing it takes at most on a busy machine.
const MOST_LOST: u64 = 512 + 50;
/// The service is killed once as many spans, and as many log records, wait, or after this time.
const WAITING: u64 = 2 * MOST_LOST;
const WAIT_WITHIN: Duration = Duration::from_secs(30);
/// Spans and log records of a request.
const OF_A_REQUEST: [u64; 2] = [2, 1];
/// From the numbers of the log records of a process to those of the next one.
const NUMBERS: u64 = 1 << 32;

/// What a run showed. The counts of a killed process are gone, so the load counts requests.
#[derive(Debug)]
pub struct Kills {
    /// The protocol.
    pub protocol: Protocol,
    /// The outages of the Collector.
    pub outages: Outages,
    /// How often the service was killed.
    pub kills: u32,
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that were sent and not answered. The service may have recorded them.
    pub unanswered: u64,
    /// Spans and log records that waited when the service was killed, on disk and in memory.
    pub waited: [u64; 2],
    /// Spans and log records that all processes dropped.
    pub dropped: [u64; 2],
    /// Different spans and log records that the Collector received.
    pub received: [u64; 2],
    /// Spans and log records that it received again.
    pub received_again: u64,
}

impl Kills {
    /// Returns the spans and log records of the answered requests.
    pub fn recorded(&self) -> [u64; 2] {
        OF_A_REQUEST.map(|items| items * self.answered)
    }

    /// Returns the spans and log records that are missing.
    pub fn missing(&self) -> [u64; 2] {
        let recorded = self.recorded();
        [0, 1].map(|signal| recorded[signal].saturating_sub(self.received[signal]))
    }

    /// Returns the most spans, and the most log records, that the kills may lose.
    pub fn most_missing(&self) -> u64 {
        u64::from(self.kills) * MOST_LOST
    }

    /// Returns the promises that do not hold.
    pub fn problems(&self) -> Vec<String> {
        let most = self.most_missing();
        let requests = self.answered + self.unanswered;
        let mut problems = Vec::new();
        let mut check = |holds: bool, text: &str| {
            if !holds {
                problems.push(format!("{text}: {self:?}"));
            }
        };
        check(self.kills == KILLS, "not killed twice");
        for (signal, items) in OF_A_REQUEST.into_iter().enumerate() {
            check(
                self.missing()[signal] <= most,
                "more is missing than a batch for each kill",
            );
            check(
                self.received[signal] <= items * requests,
                "more than was recorded",
            );
            check(self.dropped[signal] == 0, "dropped");
            check(self.waited[signal] > most, "too little waited at the kills");
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
) -> Result<Kills, Error> {
    let folder = programs.folder.join("kills");
    let mut collector = Collector::start(&programs.collector, &folder, Keep::Everything)?;
    let spool = folder.join("spool");
    let mut settings = Settings {
        spool: Some(Spool::InFolder(&spool)),
        ..Settings::plain(protocol, collector.address(protocol))
    };
    let start = |settings: &Settings<'_>| {
        let log = format!("service-{}.log", settings.first_number / NUMBERS);
        Service::start(&programs.service, settings, &folder.join(log))
    };
    let mut service = start(&settings)?;
    settings.address = service.address;
    let load = PersistentLoad::start(service.address, REQUEST_INTERVAL);
    let started = Instant::now();
    // The last states of the killed processes.
    let mut killed: Vec<State> = Vec::new();
    let outages = outages(&mut collector, time, seed, |mut lasts, is_outage| {
        let kills = killed.len() as u32;
        let due = time * (kills + 1) / (KILLS + 1);
        if is_outage && kills < KILLS && started.elapsed() > due {
            let began = Instant::now();
            killed.push(wait_for_backlog(&mut service)?);
            service.kill();
            lasts = lasts.saturating_sub(began.elapsed());
            settings.first_number += NUMBERS;
            service = start(&settings)?;
        }
        sleep(lasts);
        Ok(())
    })?;
    let requests = load.stop()?;
    drain(&mut service)?;
    let last = service.stop()?;
    let sum = |of: fn(Balance) -> u64, states: &[&State]| {
        let both = states
            .iter()
            .map(|state| [state.spans(), state.log_records()].map(of));
        both.fold([0, 0], |[spans, records], [one, other]| {
            [spans + one, records + other]
        })
    };
    let of_killed: Vec<_> = killed.iter().collect();
    let of_all: Vec<_> = killed.iter().chain([&last]).collect();
    let received = collector.received()?;
    Ok(Kills {
        protocol,
        outages,
        kills: killed.len() as u32,
        answered: requests.answered,
        unanswered: requests.unanswered,
        waited: sum(|balance| balance.queued, &of_killed),
        dropped: sum(|balance| balance.dropped(), &of_all),
        received: received.different(),
        received_again: received.again(),
    })
}

/// Waits until more waits in a service than a kill may lose.
fn wait_for_backlog(service: &mut Service) -> Result<State, Error> {
    let started = Instant::now();
    loop {
        let state = service.state()?;
        let waiting = state.spans().queued.min(state.log_records().queued);
        if waiting > WAITING || started.elapsed() > WAIT_WITHIN {
            return Ok(state);
        }
        sleep(Duration::from_millis(100));
    }
}
