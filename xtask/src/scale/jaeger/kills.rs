//! What is lost when a Jaeger, or a server of its store, is killed under load.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Jaegers, Store, cassandra, reads};
use crate::scale::load::Load;
use crate::scale::traces::{SPANS, Trace};
use crate::scale::{Error, eventually};

/// Traces in a second.
pub const RATE: usize = 50;
/// Load before and after a kill, each.
const LOAD: Duration = Duration::from_secs(5);
/// Spans that a Jaeger has accepted and not yet sent to OpenSearch: its default of `bulk_processing.max_actions`.
const BULK: usize = 1000;
/// Without new spans for this time, the rest is lost. Longer than the retries of the Collector, and than the wait of
/// Jaeger for OpenSearch.
const QUIET: Duration = Duration::from_secs(45);

/// The time in which all traces can be read after a server was killed.
const READABLE_WITHIN: Duration = Duration::from_secs(60);

/// The share of all spans that a node of Cassandra has by itself after it was away: what the others keep for it can be
/// incomplete.
const CAUGHT_UP: f64 = 0.999;

/// What became of the spans that were sent.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// Spans that were sent.
    pub sent: usize,
    /// Spans that no query finds.
    pub lost: usize,
    /// Spans in the store beyond those, by its own count: spans that were written again.
    pub twice: u64,
    /// The time from when the part was back to the last new span in the store.
    pub recovery: Duration,
}

/// Kills a Jaeger that writes, and starts it again.
pub fn writer(jaegers: &mut Jaegers, random: &mut fastrand::Rng) -> Result<Outcome, Error> {
    let before = jaegers.storage.spans()?;
    let (sent, back) = under_load(jaegers, random, |jaegers| {
        jaegers.storage.writers[0].kill();
        sleep(LOAD);
        jaegers.storage.writers[0].start()?;
        Ok(Instant::now())
    })?;
    arrival(jaegers, &sent, before, back)
}

/// What is wrong with the outcome of [`writer`].
pub fn writer_problems(store: Store, outcome: &Outcome) -> Vec<String> {
    let limit = match store {
        Store::Cassandra => 0,
        Store::OpenSearch => BULK,
    };
    match outcome.lost > limit {
        true => vec![format!("more than {limit} spans are lost: {outcome:?}")],
        false => Vec::new(),
    }
}

/// What happened while one server of the store was away.
#[derive(Debug, Clone)]
pub struct Server {
    /// What became of the spans.
    pub outcome: Outcome,
    /// Spans that were stored while it was away.
    pub meanwhile: u64,
    /// Traces of before that were read while it was away, by id.
    pub read: usize,
    /// The time until these reads succeeded. Until the others notice that it is away, a read that asks it fails.
    pub readable: Duration,
    /// The time until it accepted clients.
    pub ready: Duration,
    /// Spans that it has by itself, with the others killed.
    pub alone: Option<u64>,
    /// All spans.
    pub total: u64,
}

impl Server {
    /// Returns what is wrong. `earlier` is the number of traces to read.
    pub fn problems(&self, store: Store, earlier: usize) -> Vec<String> {
        let mut problems = Vec::new();
        if self.outcome.lost > 0 {
            problems.push(format!("spans are lost: {self:?}"));
        }
        if store == Store::Cassandra {
            if self.meanwhile == 0 || self.read < earlier {
                problems.push(format!("two of three nodes do not suffice: {self:?}"));
            }
            let alone = self.alone.unwrap_or_default();
            if (alone as f64) < CAUGHT_UP * self.total as f64 {
                problems.push(format!("the third node did not catch up: {self:?}"));
            }
        }
        problems
    }
}

/// Kills the last server of the store, and starts it again. Reads `earlier` in the meantime if there are others.
pub fn server(
    jaegers: &mut Jaegers,
    earlier: &[Trace],
    random: &mut fastrand::Rng,
) -> Result<Server, Error> {
    let before = jaegers.storage.spans()?;
    let last = jaegers.storage.servers.len() - 1;
    let (sent, (back, ready, meanwhile, read, readable)) =
        under_load(jaegers, random, |jaegers| {
            jaegers.storage.servers[last].kill();
            let killed = Instant::now();
            let (mut meanwhile, mut read, mut readable) = (0, 0, Duration::ZERO);
            if jaegers.storage.store == Store::Cassandra {
                // The others notice that it is away.
                let count = || cassandra::spans(&jaegers.storage.servers);
                let url = jaegers.storage.read_url(0);
                let spans = eventually(READABLE_WITHIN, || reads::by_id(&url, earlier))?;
                readable = killed.elapsed();
                read = earlier
                    .iter()
                    .filter(|trace| spans.has_all_of(trace))
                    .count();
                let first = count()?;
                sleep(LOAD);
                meanwhile = count()? - first;
            } else {
                sleep(LOAD);
            }
            let ready = jaegers.storage.servers[last].start()?;
            Ok((Instant::now(), ready, meanwhile, read, readable))
        })?;
    let outcome = arrival(jaegers, &sent, before, back)?;
    let total = jaegers.storage.spans()?;
    let alone = match jaegers.storage.store {
        Store::Cassandra => Some(alone(jaegers)?),
        Store::OpenSearch => None,
    };
    Ok(Server {
        outcome,
        meanwhile,
        read,
        readable,
        ready,
        alone,
        total,
    })
}

/// Returns what the last node of Cassandra has by itself, after the others sent what it missed.
fn alone(jaegers: &mut Jaegers) -> Result<u64, Error> {
    let (others, last) = jaegers.storage.servers.split_at_mut(2);
    cassandra::until_hints_are_sent(others)?;
    others.iter_mut().for_each(super::server::Server::kill);
    let count = eventually(Duration::from_secs(60), || cassandra::spans(last))?;
    for other in others {
        other.start()?;
    }
    Ok(count)
}

/// Sends traces before, during and after `fault`; returns them with its result.
fn under_load<T>(
    jaegers: &mut Jaegers,
    random: &mut fastrand::Rng,
    fault: impl FnOnce(&mut Jaegers) -> Result<T, Error>,
) -> Result<(Vec<Trace>, T), Error> {
    let load = Load::start(jaegers.receivers(), RATE, random);
    sleep(LOAD);
    let result = fault(jaegers)?;
    sleep(LOAD);
    let sent = load.stop()?.into_iter().map(|(trace, _)| trace).collect();
    Ok((sent, result))
}

/// Waits until the queues are empty, and everything is there or no more arrives.
fn arrival(
    jaegers: &Jaegers,
    sent: &[Trace],
    before: u64,
    back: Instant,
) -> Result<Outcome, Error> {
    let spans = SPANS * sent.len();
    let expected = before + spans as u64;
    let (mut stored, mut last) = (jaegers.storage.spans()?, Instant::now());
    loop {
        let mut queued = 0.0;
        for collector in &jaegers.collectors {
            queued += collector.metric("otelcol_exporter_queue_size", &["otlp_grpc/jaeger"])?;
        }
        if queued == 0.0 && (stored >= expected || last.elapsed() > QUIET) {
            break;
        }
        sleep(Duration::from_millis(500));
        let now = jaegers.storage.spans()?;
        if now != stored {
            (stored, last) = (now, Instant::now());
        }
    }
    let found = reads::by_id(&jaegers.storage.read_url(1), sent)?.count();
    Ok(Outcome {
        sent: spans,
        lost: spans - usize::try_from(found)?,
        twice: (jaegers.storage.spans()? - before).saturating_sub(found),
        recovery: last.saturating_duration_since(back),
    })
}
