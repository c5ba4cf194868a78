//! What is lost when a part of the whole stack is killed under load.

use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Large;
use crate::progress::Reporter;
use crate::scale::jaeger::reads;
use crate::scale::kafka::missing;
use crate::scale::kills::Undecided;
use crate::scale::load::Load;
use crate::scale::tiers::receiver;
use crate::scale::traces::{SPANS, Trace};
use crate::scale::{Error, eventually};

/// Traces in a second: what three nodes of Cassandra write on two cores.
const RATE: usize = 20;
/// Load before and after a kill.
const AROUND: Duration = Duration::from_secs(10);
/// How long the part is away.
const AWAY: Duration = Duration::from_secs(10);
/// Time in which what waited arrives, and in which everything can be read.
const RECOVERS_WITHIN: Duration = Duration::from_secs(180);
/// The traces that show that what waited has arrived.
const MARKS: usize = 10;

/// A part that is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// One of two agents.
    Agent,
    /// One of two gateways.
    Gateway,
    /// Kafka.
    Kafka,
    /// One of two Jaegers that write.
    Jaeger,
    /// One of three nodes of Cassandra.
    Cassandra,
}

impl Part {
    /// All, in the order of the data.
    pub const ALL: [Self; 5] = [
        Self::Agent,
        Self::Gateway,
        Self::Kafka,
        Self::Jaeger,
        Self::Cassandra,
    ];

    fn kill(self, large: &mut Large) {
        match self {
            Self::Agent => large.agents[0].kill(),
            Self::Gateway => large.gateways[0].kill(),
            Self::Kafka => large.broker.kill(),
            Self::Jaeger => large.storage.writers[0].kill(),
            Self::Cassandra => large.storage.servers[2].kill(),
        }
    }

    fn start(self, large: &mut Large) -> Result<Duration, Error> {
        match self {
            Self::Agent => large.agents[0].start(),
            Self::Gateway => large.gateways[0].start(),
            Self::Kafka => large.broker.start(),
            Self::Jaeger => large.storage.writers[0].start(),
            Self::Cassandra => large.storage.servers[2].start(),
        }
    }
}

/// What happened when a part was killed.
#[derive(Debug, Clone)]
pub struct Killed {
    /// The part.
    pub part: Part,
    /// The time until it was ready again.
    pub ready: Duration,
    /// The time from then until traces that were sent last before it were in Jaeger, if they came.
    pub recovery: Option<Duration>,
    /// Spans that are not in Jaeger.
    pub lost_spans: usize,
    /// The traces.
    pub traces: Undecided,
}

impl Killed {
    /// Returns what is wrong: only a gateway may lose traces, and only those that waited for its decision.
    pub fn problems(&self) -> Vec<String> {
        let limit = RECOVERS_WITHIN.as_secs();
        let recovered = (self.recovery.is_none())
            .then(|| format!("what waited did not arrive in {limit} s: {self:?}"));
        let lost = match self.part {
            Part::Gateway => {
                let later = (self.traces.later > 0)
                    .then(|| format!("traces are lost that were sent while it was away: {self:?}"));
                self.traces.problems().into_iter().chain(later).collect()
            }
            _ if self.lost_spans > 0 => vec![format!("spans are lost: {self:?}")],
            _ => Vec::new(),
        };
        recovered.into_iter().chain(lost).collect()
    }
}

impl fmt::Display for Killed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} killed, ready after {:.1} s, recovered {:.1} s later: {} spans sent, {} lost; {} traces incomplete, {} of them waited",
            self.part,
            self.ready.as_secs_f64(),
            self.recovery.unwrap_or(RECOVERS_WITHIN).as_secs_f64(),
            SPANS * self.traces.sent,
            self.lost_spans,
            self.traces.lost,
            self.traces.waited,
        )
    }
}

/// Kills a part while traces come in, and starts it again after ten seconds.
pub fn kill(
    large: &mut Large,
    part: Part,
    random: &mut fastrand::Rng,
    reporter: &mut Reporter,
) -> Result<Killed, Error> {
    let receivers = large.agents.each_ref().map(receiver);
    let load = Load::start(receivers, RATE, random);
    sleep(AROUND);
    reporter.note(&format!("killing {part:?}"));
    let killed = Instant::now();
    part.kill(large);
    sleep(AWAY);
    let ready = part.start(large)?;
    let back = Instant::now();
    let url = large.storage.read_url(0);
    let mut waited = load.latest(MARKS);
    while !waited.is_empty() && back.elapsed() < RECOVERS_WITHIN {
        sleep(Duration::from_millis(200));
        waited = eventually(RECOVERS_WITHIN, || missing(&url, waited.clone()))?;
    }
    let recovery = waited.is_empty().then(|| back.elapsed());
    sleep(AROUND);
    let sent = load.stop()?;
    large.settled()?;
    let traces: Vec<Trace> = sent.iter().map(|(trace, _)| *trace).collect();
    let stored = eventually(RECOVERS_WITHIN, || {
        reads::by_id(&large.storage.read_url(1), &traces)
    })?;
    let found: usize = traces.iter().map(|trace| stored.of(trace)).sum();
    Ok(Killed {
        part,
        ready,
        recovery,
        lost_spans: SPANS * traces.len() - found,
        traces: Undecided::of(&sent, &stored, killed),
    })
}
