//! What is lost when a part is killed.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::kept::Spans;
use super::tiers::{Tiers, WAIT};
use super::traces::{Kind, SPANS, Trace};
use super::{Error, eventually};

/// Traces that are sent while a part is away. Every one is kept, so that only a loss can remove one.
const TRACES: usize = 500;
/// Time for everything to arrive: a gateway is found again, and then decides.
const ARRIVES_WITHIN: Duration = Duration::from_secs(120);

/// What became of the traces that were sent.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// Traces that were sent.
    pub sent: usize,
    /// Traces of which no span is in Jaeger.
    pub lost: usize,
    /// Traces of which some spans are missing.
    pub incomplete: usize,
    /// The time until everything was there, from when the part was back.
    pub recovery: Duration,
}

impl Outcome {
    /// Returns what is wrong, if nothing may be lost.
    pub fn problems(&self) -> Vec<String> {
        match (self.lost, self.incomplete) {
            (0, 0) => Vec::new(),
            _ => vec![format!("not everything arrived: {self:?}")],
        }
    }
}

/// Kills a gateway, sends, kills an agent with what it has queued, and starts both again.
pub fn gateway_and_agent(tiers: &mut Tiers, random: &mut fastrand::Rng) -> Result<Outcome, Error> {
    tiers.gateways[0].kill();
    let sent = Trace::many(Kind::Error, TRACES, random);
    tiers.send(&sent)?;
    eventually(Duration::from_secs(10), || {
        let size =
            tiers.agents[0].metric("otelcol_exporter_queue_size", &["load_balancing/traces"])?;
        match size > 0.0 {
            true => Ok(()),
            false => Err("nothing is queued at the agent".into()),
        }
    })?;
    tiers.agents[0].kill();
    tiers.agents[0].start()?;
    tiers.gateways[0].start()?;
    arrival(tiers, &sent)
}

/// Kills Jaeger, sends, kills a gateway with what it has queued, and starts both again.
pub fn store_and_gateway(tiers: &mut Tiers, random: &mut fastrand::Rng) -> Result<Outcome, Error> {
    tiers.jaeger.kill();
    let sent = Trace::many(Kind::Error, TRACES, random);
    tiers.send(&sent)?;
    eventually(WAIT + Duration::from_secs(30), || {
        let kept = tiers.kept()?;
        let decided = |trace: &&Trace| kept.iter().any(|kept| kept.has_all_of(trace));
        match sent.iter().filter(decided).count() {
            TRACES => Ok(()),
            decided => Err(format!("{decided} of {TRACES} traces are decided").into()),
        }
    })?;
    tiers.gateways[1].kill();
    tiers.jaeger.start()?;
    tiers.gateways[1].start()?;
    arrival(tiers, &sent)
}

/// What a gateway has in memory when it is killed under load.
#[derive(Debug, Clone, Copy)]
pub struct Undecided {
    /// Traces that were sent, at [`RATE`].
    pub sent: usize,
    /// Traces of which spans are missing.
    pub lost: usize,
    /// Of these, traces that were sent at another time than [`WAIT`] before the kill.
    pub unexpected: usize,
}

/// Traces in a second.
pub const RATE: usize = 250;
const TICK: Duration = Duration::from_millis(100);
/// How long a trace takes from the service to the gateway, at most.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

impl Undecided {
    /// Returns what is wrong.
    pub fn problems(&self) -> Vec<String> {
        match self.unexpected {
            0 => Vec::new(),
            _ => vec![format!(
                "traces are lost that did not wait for a decision: {self:?}"
            )],
        }
    }
}

/// Kills a gateway while traces come in, and starts it again after 3 s.
pub fn gateway_under_load(
    tiers: &mut Tiers,
    random: &mut fastrand::Rng,
) -> Result<Undecided, Error> {
    let before = 2 * WAIT;
    let mut sent = Vec::new();
    let mut killed = None;
    let started = Instant::now();
    while started.elapsed() < before + WAIT {
        if killed.is_none() && started.elapsed() > before {
            tiers.gateways[0].kill();
            killed = Some(Instant::now());
        }
        let traces = Trace::many(Kind::Error, RATE / 10, random);
        tiers.send(&traces)?;
        sent.extend(traces.into_iter().map(|trace| (trace, Instant::now())));
        let next = TICK * u32::try_from(sent.len() / (RATE / 10)).unwrap_or(u32::MAX);
        sleep(next.saturating_sub(started.elapsed()));
    }
    tiers.gateways[0].start()?;
    let killed = killed.ok_or("the gateway was not killed")?;
    let traces: Vec<_> = sent.iter().map(|(trace, _)| *trace).collect();
    let stored = last_arrival(tiers, &traces)?;
    let lost: Vec<_> = sent
        .iter()
        .filter(|(trace, _)| !stored.has_all_of(trace))
        .collect();
    let window = killed - WAIT - ON_ITS_WAY..killed + ON_ITS_WAY;
    Ok(Undecided {
        sent: sent.len(),
        lost: lost.len(),
        unexpected: lost.iter().filter(|(_, at)| !window.contains(at)).count(),
    })
}

/// Waits for all traces; returns what is missing after [`ARRIVES_WITHIN`].
fn arrival(tiers: &Tiers, sent: &[Trace]) -> Result<Outcome, Error> {
    let started = Instant::now();
    let arrived = |stored: &Spans| sent.iter().filter(|trace| stored.has_all_of(trace)).count();
    let mut stored = tiers.stored()?;
    while arrived(&stored) < sent.len() && started.elapsed() < ARRIVES_WITHIN {
        sleep(Duration::from_millis(500));
        stored = tiers.stored()?;
    }
    let lost = sent.iter().filter(|trace| stored.of(trace) == 0).count();
    Ok(Outcome {
        sent: sent.len(),
        lost,
        incomplete: sent.len() - arrived(&stored) - lost,
        recovery: started.elapsed(),
    })
}

/// Waits until the agents' queues are empty, and no further spans arrive for longer than a decision takes.
fn last_arrival(tiers: &Tiers, sent: &[Trace]) -> Result<Spans, Error> {
    // A gateway that was away is found again after a while.
    eventually(ARRIVES_WITHIN, || {
        let mut queued = 0.0;
        for agent in &tiers.agents {
            queued += agent.metric("otelcol_exporter_queue_size", &["load_balancing/traces"])?;
        }
        match queued {
            0.0 => Ok(()),
            _ => Err(format!("{queued} spans are queued at the agents").into()),
        }
    })?;
    let quiet = WAIT + Duration::from_secs(6);
    let mut stored = tiers.stored()?;
    let mut since = Instant::now();
    while since.elapsed() < quiet && stored.count() < (SPANS * sent.len()) as u64 {
        sleep(Duration::from_millis(500));
        let now = tiers.stored()?;
        if now.count() > stored.count() {
            since = Instant::now();
        }
        stored = now;
    }
    Ok(stored)
}
