//! What is lost when a part is killed.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::kept::Spans;
use super::load::{Load, Sent};
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
    pub(super) fn of(sent: &[Sent], stored: &Spans, recovery: Duration) -> Self {
        let spans = sent.iter().map(|(trace, _)| stored.of(trace));
        let lost = spans.clone().filter(|&spans| spans == 0).count();
        Self {
            sent: sent.len(),
            lost,
            incomplete: spans.filter(|spans| (1..SPANS).contains(spans)).count(),
            recovery,
        }
    }

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

/// What was lost when a gateway was killed under load.
#[derive(Debug, Clone)]
pub struct Undecided {
    /// Traces that were sent.
    pub sent: usize,
    /// Traces of which spans are missing.
    pub lost: usize,
    /// Of these, traces of which others are there.
    pub incomplete: usize,
    /// Of the lost ones, traces that waited for a decision: sent in [`WAIT`] before the kill.
    pub waited: usize,
    /// Of the lost ones, traces that were sent later, while the gateway was away.
    pub later: usize,
    /// The lost traces by the second in which they were sent, from the kill.
    pub seconds: BTreeMap<i64, usize>,
}

/// Traces in a second, of four spans each.
pub const RATE: usize = 250;
/// How long a trace takes from the service to the gateway, and from there to its queue, at most.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

impl Undecided {
    pub(super) fn of(sent: &[Sent], stored: &Spans, killed: Instant) -> Self {
        let lost = sent.iter().filter(|(trace, _)| !stored.has_all_of(trace));
        let incomplete = lost.clone().filter(|(trace, _)| stored.of(trace) > 0);
        let incomplete = incomplete.count();
        let seconds = lost.map(|&(_, at)| match at.checked_duration_since(killed) {
            Some(after) => after.as_secs_f64(),
            None => -(killed - at).as_secs_f64(),
        });
        let seconds: Vec<_> = seconds.collect();
        let on_its_way = ON_ITS_WAY.as_secs_f64();
        let waited = -WAIT.as_secs_f64() - on_its_way..on_its_way;
        let mut by_second = BTreeMap::new();
        for second in &seconds {
            *by_second.entry(second.floor() as i64).or_default() += 1;
        }
        Self {
            sent: sent.len(),
            lost: seconds.len(),
            incomplete,
            waited: seconds.iter().filter(|at| waited.contains(at)).count(),
            later: seconds.iter().filter(|&&at| at >= on_its_way).count(),
            seconds: by_second,
        }
    }

    /// Returns what is wrong: traces are lost that were decided before the kill.
    pub fn problems(&self) -> Vec<String> {
        match self.lost - self.waited - self.later {
            0 => Vec::new(),
            earlier => vec![format!(
                "{earlier} traces are lost that were decided before the kill: {self:?}"
            )],
        }
    }
}

/// Kills a gateway while traces come in, and starts it again after 4 s.
pub fn gateway_under_load(
    tiers: &mut Tiers,
    random: &mut fastrand::Rng,
) -> Result<Undecided, Error> {
    let load = Load::start(tiers.receivers(), RATE, random);
    sleep(2 * WAIT);
    let killed = Instant::now();
    tiers.gateways[0].kill();
    sleep(WAIT);
    tiers.gateways[0].start()?;
    let sent = load.stop()?;
    let traces: Vec<_> = sent.iter().map(|(trace, _)| *trace).collect();
    let stored = last_arrival(tiers, &traces)?;
    Ok(Undecided::of(&sent, &stored, killed))
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
