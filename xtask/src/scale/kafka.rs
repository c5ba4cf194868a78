//! Kafka between the tiers: what waits in it, and what is lost when it or a gateway is killed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use super::broker::Broker;
use super::kept::Spans;
use super::kills::{Outcome, RATE, Undecided};
use super::load::{Load, Sent};
use super::node::Node;
use super::size::TRACES_OF_GATEWAY;
use super::tiers::{Additions, Programs, Tiers, WAIT, restart_with};
use super::traces::SPANS;
use super::{Error, eventually, shares};
use crate::progress::Reporter;
use crate::stack::{Port, query};

/// The defaults of the overlays.
pub(super) const TOPIC: &str = "otlp_spans";
const GROUP: &str = "otel-gateway";
const CLIENT: &str = "otel-gateway";
/// Bytes in a second that all gateways read: 13 times those of 1,000 spans. A gateway that has all partitions then holds
/// 39,000 of at most 50,000 traces, in the 10 s to the decision and two of Kafka's windows.
const READ_LIMIT: u64 = 600_000;
const PARTITIONS: u32 = 6;
/// The overlays.
pub(super) const AGENT: &str = "collector/overlays/kafka-agent.yaml";
pub(super) const GATEWAY: &str = "collector/overlays/kafka-gateway.yaml";
/// Time for everything that was sent to be decided and stored, when nothing is away.
const SETTLED_WITHIN: Duration = Duration::from_secs(300);
/// Traces that wait for their decision.
const UNDECIDED: &str = "otelcol_processor_tail_sampling_sampling_traces_on_memory";
/// Spans that came after the decision on their trace, while the gateway remembered it.
const REMEMBERED: &str = "otelcol_processor_tail_sampling_early_releases_from_cache_decision_total";
/// The traces that show how far a backlog is read, at the end of each partition.
const MARKS: usize = 24;
/// Traces without an error for each with one, while no gateway runs.
const OTHERS: usize = 4;
/// Load before and after a kill.
const AROUND: Duration = Duration::from_secs(15);

/// The tiers with a broker between them.
#[derive(Debug)]
pub struct Kafka {
    /// Agents, gateways and Jaeger. They end before the broker.
    pub tiers: Tiers,
    /// The broker.
    pub broker: Broker,
}

impl Kafka {
    /// Starts all of them. Jaeger keeps every trace of a run. `wait` is the time from a trace's first span to the decision.
    pub fn start(
        programs: &Programs,
        wait: Duration,
        reporter: &mut Reporter,
    ) -> Result<Self, Error> {
        let broker = start_broker(&programs.folder.join("broker"), reporter)?;
        let mut variables = vec![
            brokers(&broker),
            ("JAEGER_MAX_TRACES", "1000000".to_owned()),
            ("SAMPLING_WAIT", format!("{}s", wait.as_secs())),
        ];
        let shares = shares::VARIABLES.iter();
        variables.extend(shares.map(|&(name, value)| (name, value.to_owned())));
        let programs = Programs {
            folder: programs.folder.join("tiers"),
            ..programs.clone()
        };
        let additions = Additions {
            agents: &[AGENT],
            gateways: &[GATEWAY],
            variables,
        };
        let tiers = Tiers::start_with(&programs, &additions)?;
        Ok(Self { tiers, broker })
    }

    fn load(&self, random: &mut fastrand::Rng) -> Load {
        Load::start(self.tiers.receivers(), RATE, random)
    }

    /// Waits until nothing is on its way, and returns the spans in Jaeger of traces that began since a time.
    fn settled_spans(&self, sent: &[Sent], since: SystemTime) -> Result<Spans, Error> {
        self.settled()?;
        // Jaeger accepts a request before it has stored it.
        sleep(Duration::from_secs(2));
        self.tiers.stored_of(sent, since)
    }

    fn settled(&self) -> Result<(), Error> {
        settled(&self.tiers.agents, &self.tiers.gateways, &self.broker)
    }

    fn missing(&self, traces: Vec<Sent>) -> Result<Vec<Sent>, Error> {
        missing(&self.tiers.jaeger.ports().url(Port::JaegerQuery), traces)
    }

    /// Restarts the gateways with another value of a variable, when nothing is on its way.
    fn restart_gateways(&mut self, variable: &'static str, value: Duration) -> Result<(), Error> {
        self.settled()?;
        let value = format!("{}s", value.as_secs());
        restart_with(&mut self.tiers.gateways, variable, &value)
    }

    /// Returns how many spans the gateways have dropped because they remembered that their trace was dropped.
    fn remembered(&self) -> Result<f64, Error> {
        let mut spans = 0.0;
        for gateway in &self.tiers.gateways {
            spans += gateway.metric(REMEMBERED, &["sampled=\"false\""])?;
        }
        Ok(spans)
    }

    /// Returns how many spans the gateways have exported again.
    fn repeated(&self) -> Result<u64, Error> {
        Ok(self.tiers.kept()?.iter().map(Spans::repeated).sum())
    }
}

/// Starts a broker with the topic of the overlays, and the limit for a backlog.
pub(super) fn start_broker(folder: &Path, reporter: &mut Reporter) -> Result<Broker, Error> {
    let mut broker = Broker::new(folder, reporter)?;
    broker.start()?;
    broker.create_topic(TOPIC, PARTITIONS)?;
    broker.limit_reading(CLIENT, READ_LIMIT)?;
    Ok(broker)
}

/// Returns the variable of the overlays with the address of a broker.
pub(super) fn brokers(broker: &Broker) -> (&'static str, String) {
    ("COLLECTOR_KAFKA_BROKERS", format!("[{}]", broker.address()))
}

/// Waits until the agents have sent everything to Kafka, and the gateways have read, decided and exported it.
pub(super) fn settled(
    agents: &[Node; 2],
    gateways: &[Node; 2],
    broker: &Broker,
) -> Result<(), Error> {
    // Twice, because kept spans wait for their batch between the decision and the queue.
    for _ in 0..2 {
        eventually(SETTLED_WITHIN, || {
            for agent in agents {
                none("spans in an agent's queue", agent.queued_spans()?)?;
            }
            // A message counts until its offset is committed.
            none("messages in Kafka", broker.lag(GROUP)? as f64)?;
            for gateway in gateways {
                none("traces without a decision", gateway.metric(UNDECIDED, &[])?)?;
                none("spans in a gateway's queue", gateway.queued_spans()?)?;
            }
            Ok(())
        })?;
        sleep(Duration::from_millis(500));
    }
    Ok(())
}

/// Returns those of the traces that are not complete in the Jaeger at `url`.
pub(super) fn missing(url: &str, traces: Vec<Sent>) -> Result<Vec<Sent>, Error> {
    let mut missing = Vec::new();
    for (trace, at) in traces {
        let stored = query::jaeger_trace_at(url, &trace.hex())?;
        let spans = stored
            .as_ref()
            .and_then(|stored| stored["spans"].as_array());
        if spans.map_or(0, Vec::len) < SPANS {
            missing.push((trace, at));
        }
    }
    Ok(missing)
}

fn none(what: &str, count: f64) -> Result<(), Error> {
    match count {
        0.0 => Ok(()),
        _ => Err(format!("{count} {what}").into()),
    }
}

/// An outage of all gateways.
#[derive(Debug, Clone)]
pub struct Outage {
    /// How long no gateway ran.
    pub away: Duration,
    /// Traces that waited when the gateways came back.
    pub backlog: usize,
    /// Spans in a second that the services sent.
    pub rate: f64,
    /// How long traces took to Jaeger that were sent while the backlog drained, and in the 15 s after: one in a second.
    pub live: [Vec<Duration>; 2],
    /// What became of the traces with an error, live ones included.
    pub outcome: Outcome,
    /// The lost traces by the second in which they were sent, from the start of the gateways.
    pub lost: BTreeMap<i64, usize>,
    /// The most traces in a gateway after its decisions of a second.
    pub undecided: f64,
}

/// Kills both gateways, sends, and starts them again while more is sent.
pub fn without_gateways(
    kafka: &mut Kafka,
    away: Duration,
    random: &mut fastrand::Rng,
    reporter: &mut Reporter,
) -> Result<Outage, Error> {
    let since = SystemTime::now();
    for gateway in &mut kafka.tiers.gateways {
        gateway.kill();
    }
    let load = Load::start_mixed(kafka.tiers.receivers(), RATE, OTHERS, random);
    let started = Instant::now();
    while started.elapsed() < away {
        reporter.tick(&format!(
            "no gateway for {} of {} s: {} traces with an error sent",
            started.elapsed().as_secs(),
            away.as_secs(),
            load.count()
        ));
        sleep(Duration::from_secs(1));
    }
    let back = Instant::now();
    let backlog = load.count();
    let last = load.latest(MARKS);
    for gateway in &mut kafka.tiers.gateways {
        gateway.start()?;
    }
    let limit = SETTLED_WITHIN + 2 * away;
    let (drained, live, undecided) = live_traces(kafka, &load, (back, limit), last, reporter)?;
    let sent = load.stop()?;
    let rate = (SPANS * (1 + OTHERS) * sent.len()) as f64 / started.elapsed().as_secs_f64();
    let stored = kafka.settled_spans(&sent, since)?;
    Ok(Outage {
        away,
        backlog: (1 + OTHERS) * backlog,
        rate,
        live,
        outcome: Outcome::of(&sent, &stored, drained),
        lost: Undecided::of(&sent, &stored, back).seconds,
        undecided,
    })
}

/// Follows one trace in a second, until `backlog` is in Jaeger and then for [`AROUND`]. Returns when the backlog was there,
/// how long the traces took that were sent before and after that, and the most that were in a gateway after decisions.
fn live_traces(
    kafka: &Kafka,
    load: &Load,
    (back, limit): (Instant, Duration),
    mut backlog: Vec<Sent>,
    reporter: &mut Reporter,
) -> Result<(Duration, [Vec<Duration>; 2], f64), Error> {
    let mut drained = None;
    let mut undecided: f64 = 0.0;
    let mut waiting = Vec::new();
    let mut took: [Vec<Duration>; 2] = Default::default();
    let mut next = Instant::now();
    loop {
        backlog = kafka.missing(backlog)?;
        if backlog.is_empty() && drained.is_none() {
            drained = Some(Instant::now());
        }
        let ended = drained.is_some_and(|drained: Instant| drained.elapsed() > AROUND);
        if !ended && Instant::now() >= next {
            waiting.extend(load.latest(1));
            next += Duration::from_secs(1);
        }
        for gateway in &kafka.tiers.gateways {
            undecided = undecided.max(gateway.metric(UNDECIDED, &[])?);
        }
        let missing = kafka.missing(waiting.clone())?;
        for (trace, at) in waiting {
            if !missing.iter().any(|(other, _)| *other == trace) {
                let after = drained.is_some_and(|drained| at > drained);
                took[usize::from(after)].push(at.elapsed());
            }
        }
        waiting = missing;
        if let Some(drained) = drained
            && ended
            && waiting.is_empty()
        {
            return Ok((drained - back, took, undecided));
        }
        if back.elapsed() > limit {
            return Err(format!("the backlog is not drained after {} s", limit.as_secs()).into());
        }
        reporter.tick(&format!(
            "draining for {} s: {} live traces on their way",
            back.elapsed().as_secs(),
            waiting.len()
        ));
        sleep(Duration::from_millis(200));
    }
}

/// What became of traces with an error when the broker was killed.
#[derive(Debug, Clone)]
pub struct BrokerKill {
    /// What became of them, and the time until everything was there.
    pub outcome: Outcome,
    /// The traces without all spans by the second in which they were sent, from the kill.
    pub seconds: BTreeMap<i64, usize>,
    /// The spans that gateways dropped because they remembered that their trace was dropped, by their own count.
    pub remembered: f64,
}

/// Kills the broker under load, and starts it again after `away`.
pub fn broker_under_load(
    kafka: &mut Kafka,
    away: Duration,
    random: &mut fastrand::Rng,
) -> Result<BrokerKill, Error> {
    let since = SystemTime::now();
    let remembered = kafka.remembered()?;
    let load = kafka.load(random);
    sleep(AROUND);
    let killed = Instant::now();
    kafka.broker.kill();
    sleep(away);
    kafka.broker.start()?;
    let back = Instant::now();
    let mut waited = load.latest(MARKS);
    while !waited.is_empty() && back.elapsed() < SETTLED_WITHIN {
        sleep(Duration::from_millis(200));
        waited = kafka.missing(waited)?;
    }
    let recovery = back.elapsed();
    sleep(AROUND);
    let sent = load.stop()?;
    let stored = kafka.settled_spans(&sent, since)?;
    Ok(BrokerKill {
        outcome: Outcome::of(&sent, &stored, recovery),
        seconds: Undecided::of(&sent, &stored, killed).seconds,
        remembered: kafka.remembered()? - remembered,
    })
}

impl BrokerKill {
    /// Returns what is wrong: a trace is lost, or the gateways counted other spans than those of the lost traces.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.outcome.problems();
        let lost = SPANS * self.outcome.lost;
        if self.remembered != lost as f64 {
            problems.push(format!("{lost} spans are lost, not as counted: {self:?}"));
        }
        problems
    }
}

/// Kills a gateway under load, and starts it again after `away`. Returns what was lost, and how many spans were exported
/// twice. `commit` is the interval of commits.
pub fn gateway_under_load(
    kafka: &mut Kafka,
    away: Duration,
    commit: Duration,
    random: &mut fastrand::Rng,
) -> Result<(Undecided, u64), Error> {
    let since = SystemTime::now();
    let repeated = kafka.repeated()?;
    let load = kafka.load(random);
    // Long enough for a commit, and not always at the same time after one.
    sleep(commit + 2 * WAIT + commit.mul_f64(random.f64()));
    let killed = Instant::now();
    kafka.tiers.gateways[0].kill();
    sleep(away);
    kafka.tiers.gateways[0].start()?;
    sleep(AROUND);
    let sent = load.stop()?;
    let stored = kafka.settled_spans(&sent, since)?;
    let undecided = Undecided::of(&sent, &stored, killed);
    Ok((undecided, kafka.repeated()? - repeated))
}

/// Restarts the gateways with another time from a trace's first span to the decision.
pub fn decide_after(kafka: &mut Kafka, wait: Duration) -> Result<(), Error> {
    kafka.restart_gateways("SAMPLING_WAIT", wait)
}

/// Restarts the gateways with another interval of commits.
pub fn commit_every(kafka: &mut Kafka, interval: Duration) -> Result<(), Error> {
    kafka.restart_gateways("COLLECTOR_KAFKA_COMMIT_INTERVAL", interval)
}

impl Outage {
    /// Returns what is wrong: a trace is lost, or a gateway was full.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.outcome.problems();
        if !(1.0..TRACES_OF_GATEWAY).contains(&self.undecided) {
            problems.push(format!(
                "{} traces at most were in a gateway: expected some, and fewer than {TRACES_OF_GATEWAY}",
                self.undecided
            ));
        }
        problems
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.outcome.recovery.as_secs_f64();
        writeln!(
            f,
            "no gateway for {} s at {:.0} spans/s: a backlog of {} spans, drained in {seconds:.0} s, {:.0} spans/s",
            self.away.as_secs(),
            self.rate,
            SPANS * self.backlog,
            (SPANS * self.backlog) as f64 / seconds,
        )?;
        for (live, when) in self.live.iter().zip(["while it drained", "after that"]) {
            let mut sorted = live.clone();
            sorted.sort_unstable();
            let at = |share: usize| {
                let place = sorted.len().saturating_sub(1) * share / 100;
                sorted.get(place).map_or(0.0, Duration::as_secs_f64)
            };
            writeln!(
                f,
                "live traces {when}: {} followed, to Jaeger in {:.1} s at least, {:.1} s in the middle, {:.1} s at most",
                sorted.len(),
                at(0),
                at(50),
                at(100)
            )?;
        }
        writeln!(
            f,
            "{} traces at most in a gateway after the decisions of a second",
            self.undecided
        )?;
        write!(
            f,
            "traces with an error: {:?}, lost by second: {:?}",
            self.outcome, self.lost
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_traces_and_a_wrong_count_are_problems() {
        let problems = |lost, remembered| {
            let outcome = Outcome {
                sent: 17_000,
                lost,
                incomplete: 0,
                recovery: Duration::from_secs(10),
            };
            let kill = BrokerKill {
                outcome,
                seconds: BTreeMap::new(),
                remembered,
            };
            kill.problems().len()
        };
        assert_eq!(problems(0, 0.0), 0);
        assert_eq!(problems(2, 8.0), 1, "lost, and counted");
        assert_eq!(problems(2, 4.0), 2, "lost, and not counted");
        assert_eq!(problems(0, 4.0), 1, "counted, and not lost");
    }
}
