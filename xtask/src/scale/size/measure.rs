//! What the stack past one machine needs for 1, 2 and 4 instances, beside what the model predicts.

use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::series::size_of;
use super::{
    AGENTS, CASSANDRA, Demand, GATEWAYS, JAEGERS, KAFKA, Part, Prices, RECEIVERS, REPLICAS, Rates,
    constants,
};
use crate::progress::Reporter;
use crate::scale::Error;
use crate::scale::kafka::TOPIC;
use crate::scale::large::{Large, Programs, traffic};
use crate::scale::process::Process;
use crate::scale::tiers::{WAIT, receiver};
use crate::scale::traces::{Kind, SPANS, Trace, send};
use crate::stack::query::prometheus_query_at;

/// Time for services to create their series, and to reach a steady rate.
const WARM_UP: Duration = Duration::from_secs(40);
/// Time of a measurement.
const WINDOW: Duration = Duration::from_secs(60);
/// The percentage of other traces that gateways keep while the model is compared: more keep two cores busy, and a busy
/// Cassandra needs less for each span.
const PERCENT: u8 = 1;
/// By which a prediction may differ, as a share of what is measured.
const TOLERANCE: f64 = 0.2;
/// Cores by which it may differ: what a Java program does by itself in a minute.
const CORES: f64 = 0.02;

/// A load that is measured.
#[derive(Debug, Clone, Copy)]
pub struct Phase {
    /// Instances of `rustok-server`.
    pub instances: usize,
    /// From one export of metrics to the next.
    pub interval: Duration,
    /// The percentage of other traces that gateways keep.
    pub percent: u8,
}

impl Phase {
    /// All traces, so that the Java programs are warm. With those of a round and [`IDLE`](Self::IDLE), it tells what a kept
    /// span, a sample and an idle part cost.
    pub const WARM: Self = Self::of(2, 5, 100);
    /// The loads of a round: those that tell how fast this machine is, and those that are compared with the model.
    pub const ROUND: [Self; 5] = [
        Self::of(4, 1, PERCENT),
        Self::of(2, 1, PERCENT),
        Self::of(4, 5, PERCENT),
        Self::of(2, 5, PERCENT),
        Self::of(1, 5, PERCENT),
    ];
    /// What the parts need without load.
    pub const IDLE: Self = Self::of(0, 5, PERCENT);

    const fn of(instances: usize, seconds: u64, percent: u8) -> Self {
        Self {
            instances,
            interval: Duration::from_secs(seconds),
            percent,
        }
    }

    /// Returns whether it tells how fast this machine is. The average of such loads counts.
    fn is_of_machine(&self) -> bool {
        self.interval == Duration::from_secs(1)
    }
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The load.
    pub phase: Phase,
    /// Requests in a second, of all instances.
    pub requests: f64,
    /// What came in.
    pub rates: Rates,
    /// What the parts needed.
    pub parts: Vec<Part>,
}

impl Measured {
    /// Returns what the model predicts. The requests in a second, and the share of spans that is kept, are the measured ones.
    fn predict(&self) -> (Rates, Vec<Part>) {
        let instances = self.phase.instances as f64;
        let model = Demand {
            instances,
            requests: self.requests / instances,
            spans: constants::SPANS,
            series: constants::SERIES,
            // As many agents as were started.
            per_node: f64::INFINITY,
            interval: self.phase.interval.as_secs_f64(),
            kept: self.rates.kept / self.rates.spans,
            trace_days: 7.0,
            metric_days: 15.0,
            outage_hours: 1.0,
            kafka_hours: 24.0,
            wait: WAIT.as_secs_f64(),
            prices: Prices {
                core: 0.0,
                memory: 0.0,
                disk: 0.0,
            },
        };
        let mut parts = model.parts();
        for part in parts.iter_mut().filter(|part| part.name == KAFKA) {
            // One broker is measured, without replicas.
            part.cores -= (REPLICAS - 1.0) * constants::KAFKA.idle;
            part.memory /= REPLICAS;
        }
        (model.rates(), parts)
    }

    /// Returns the cores of each part on this machine ÷ those that the model predicts.
    fn machine(&self) -> Vec<f64> {
        let (_, predicted) = self.predict();
        let of_parts = self.parts.iter().zip(predicted);
        of_parts
            .map(|(measured, predicted)| measured.cores / predicted.cores)
            .collect()
    }

    /// Returns what the model predicts for something measured, with the name of what it is. `machine` has what the cores of
    /// each part are multiplied by.
    fn compare(&self, machine: &[f64]) -> Vec<Compared> {
        let (rates, parts) = self.predict();
        let mut compared = Vec::new();
        let mut add = |what: &str, [predicted, measured]: [f64; 2], close: f64| {
            compared.push(Compared {
                what: format!("{} instances, {what}", self.phase.instances),
                predicted,
                measured,
                close,
            });
        };
        add("series", [rates.series, self.rates.series], 0.0);
        add("samples/s", [rates.samples, self.rates.samples], 0.0);
        add("spans/s", [rates.spans, self.rates.spans], 0.0);
        for ((predicted, measured), machine) in parts.iter().zip(&self.parts).zip(machine) {
            let cores = [machine * predicted.cores, measured.cores];
            add(&format!("cores of {}", predicted.name), cores, CORES);
            let memory = [predicted, measured].map(|part| part.memory / constants::MIB);
            add(&format!("MiB of {}", predicted.name), memory, 0.0);
        }
        compared
    }
}

/// Returns the cores of each part ÷ those that the model predicts, and what it predicts for the other loads with that.
pub fn compare(round: &[Measured]) -> (Vec<f64>, Vec<Compared>) {
    let (of_machine, others): (Vec<_>, Vec<_>) =
        round.iter().partition(|load| load.phase.is_of_machine());
    let of_machine: Vec<_> = of_machine.into_iter().map(Measured::machine).collect();
    let machine = average(&of_machine);
    let others = others.into_iter();
    let compared = others.flat_map(|load| load.compare(&machine)).collect();
    (machine, compared)
}

/// Returns the average of each part in some loads.
pub(super) fn average(loads: &[Vec<f64>]) -> Vec<f64> {
    let parts = loads.first().map_or(0, Vec::len);
    let sums = (0..parts).map(|part| loads.iter().map(|load| load[part]).sum::<f64>());
    sums.map(|sum| sum / loads.len() as f64).collect()
}

/// Returns each figure of the round with the middle difference: the speed of a machine changes from minute to minute.
pub fn middle(rounds: &[Vec<Compared>]) -> Vec<Compared> {
    let figures = rounds.first().map_or(0, Vec::len);
    let middle = |figure: usize| {
        let mut of_rounds: Vec<_> = rounds.iter().map(|round| round[figure].clone()).collect();
        of_rounds.sort_by(|a, b| a.difference().total_cmp(&b.difference()));
        of_rounds.swap_remove(rounds.len() / 2)
    };
    (0..figures).map(middle).collect()
}

/// A prediction, and what was measured.
#[derive(Debug, Clone)]
pub struct Compared {
    /// What it is.
    pub what: String,
    /// What the model says.
    pub predicted: f64,
    /// What was measured.
    pub measured: f64,
    /// A difference of this or less is right, whatever share it is.
    pub close: f64,
}

impl Compared {
    /// Returns the difference as a share of what was measured.
    pub fn difference(&self) -> f64 {
        self.predicted / self.measured - 1.0
    }

    /// Returns whether the model is right.
    pub fn is_right(&self) -> bool {
        let is_close = (self.predicted - self.measured).abs() <= self.close;
        is_close || self.difference().abs() <= TOLERANCE
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<42}{:>12.3}{:>12.3}{:>10.0} %",
            self.what,
            self.predicted,
            self.measured,
            100.0 * self.difference()
        )
    }
}

/// Runs a load on a stack without services, and ends its services.
pub fn run(
    large: &mut Large,
    programs: &Programs,
    phase: Phase,
    reporter: &mut Reporter,
) -> Result<Measured, Error> {
    let name = format!(
        "size-{}-{}-{}",
        phase.instances,
        phase.interval.as_secs(),
        phase.percent
    );
    reporter.note(&format!("measuring {phase:?}"));
    large.set_gateways("SAMPLING_PERCENT", &phase.percent.to_string())?;
    let Phase {
        instances,
        interval,
        ..
    } = phase;
    large.start_services(programs, (&name, instances), interval, traffic)?;
    sleep(WARM_UP);
    let (start, first) = (Instant::now(), State::read(large, &name)?);
    sleep(WINDOW);
    let (seconds, last) = (start.elapsed().as_secs_f64(), State::read(large, &name)?);
    large.services.clear();
    let rate = |first: f64, last: f64| (last - first) / seconds;
    let used = last.parts.iter().zip(&first.parts);
    let parts = used.map(|(last, first)| Part {
        cores: rate(first.cores, last.cores),
        disk: rate(first.disk, last.disk),
        ..*last
    });
    Ok(Measured {
        phase,
        requests: rate(first.requests, last.requests),
        rates: Rates {
            series: last.rates.series,
            samples: rate(first.rates.samples, last.rates.samples),
            spans: rate(first.rates.spans, last.rates.spans),
            kept: rate(first.rates.kept, last.rates.kept),
        },
        parts: parts.collect(),
    })
}

/// Counts so far. The cores of a part are its processor time.
struct State {
    requests: f64,
    rates: Rates,
    parts: Vec<Part>,
}

impl State {
    fn read(large: &Large, name: &str) -> Result<Self, Error> {
        let one = |promql: String| -> Result<f64, Error> {
            let samples = prometheus_query_at(&large.thanos.store.url, &promql)?;
            Ok(samples.first().map_or(0.0, |sample| sample.value))
        };
        let ours = format!("{{instance=~\"{name}-.*\"");
        let mut samples = 0.0;
        for receiver in &large.thanos.receivers {
            samples += receiver.metric("prometheus_tsdb_head_samples_appended_total", &[])?;
        }
        let (mut spans, mut kept) = (0.0, 0.0);
        for agent in &large.agents {
            spans += agent.metric("otelcol_receiver_accepted_spans_total", &[])?;
        }
        for gateway in &large.gateways {
            let exporter = ["exporter=\"otlp_grpc/jaeger\""];
            kept += gateway.metric("otelcol_exporter_sent_spans_total", &exporter)?;
        }
        let storage = &large.storage;
        let jaegers = storage.writers.iter().chain(&storage.readers);
        let servers = storage.servers.iter().map(|server| &server.process);
        let broker = large.broker.bytes(TOPIC)? as f64;
        Ok(Self {
            requests: one(format!(
                "sum(rustok_http_requests_total{ours}, job=\"rustok-server\"}})"
            ))?,
            rates: Rates {
                series: one(format!("count({ours}}})"))?,
                samples,
                spans,
                kept,
            },
            parts: vec![
                part(AGENTS, large.agents.iter().map(|node| &node.process), 0.0)?,
                part(KAFKA, [&large.broker.process], broker)?,
                part(
                    GATEWAYS,
                    large.gateways.iter().map(|node| &node.process),
                    0.0,
                )?,
                part(JAEGERS, jaegers.map(|node| &node.process), 0.0)?,
                part(CASSANDRA, servers, 0.0)?,
                part(
                    RECEIVERS,
                    large.thanos.receivers.iter().map(|node| &node.process),
                    0.0,
                )?,
            ],
        })
    }
}

fn part<'a>(
    name: &'static str,
    processes: impl IntoIterator<Item = &'a Process>,
    disk: f64,
) -> Result<Part, Error> {
    let mut part = Part {
        name,
        processes: 0.0,
        cores: 0.0,
        memory: 0.0,
        disk,
    };
    for process in processes {
        part.processes += 1.0;
        part.cores += process.processor_time()?.as_secs_f64();
        part.memory += process.resident()? as f64;
    }
    Ok(part)
}

/// Bytes of a span in each place where it waits or stays.
#[derive(Debug, Clone, Copy)]
pub struct Bytes {
    /// In the queue of an agent, on disk.
    pub queued: f64,
    /// In the memory of a gateway, until its trace is decided.
    pub waiting: f64,
    /// In one replica of Cassandra, on disk.
    pub stored: f64,
}

/// Time without Kafka, while an agent's queue fills.
const OUTAGE: Duration = Duration::from_secs(120);
/// Traces whose spans are measured.
const TRACES: usize = 10_000;

/// Measures the sizes of spans: of services while Kafka is away, and of traces of [`traces`](crate::scale::traces) in a
/// gateway.
pub fn bytes(
    large: &mut Large,
    programs: &Programs,
    random: &mut fastrand::Rng,
    reporter: &mut Reporter,
) -> Result<Bytes, Error> {
    large.settled()?;
    reporter.note("measuring spans on disk");
    let folder = &programs.tiers.folder;
    let all = large.storage.spans()?;
    large.storage.servers[2].kill();
    // It writes to disk what was in memory.
    large.storage.servers[2].start()?;
    let stored = size_of(&folder.join("traces/cassandra-3/data/data/rustok_traces"))?;

    let agent = folder.join("agent-0/storage");
    let queue = |large: &Large| -> Result<(f64, f64), Error> {
        let spans = large.agents[0].queued_spans()?;
        Ok((spans, size_of(&agent)? as f64))
    };
    // Its start compacts its files.
    large.agents[0].kill();
    large.agents[0].start()?;
    let (_, empty) = queue(large)?;
    large.broker.kill();
    let interval = Duration::from_secs(15);
    large.start_services(programs, ("queue", 2), interval, traffic)?;
    sleep(OUTAGE);
    let (spans, full) = queue(large)?;
    large.services.clear();
    large.broker.start()?;
    large.settled()?;

    reporter.note("measuring spans in memory");
    large.set_gateways("SAMPLING_WAIT", "600s")?;
    let memory = |large: &Large| -> Result<u64, Error> {
        let [first, second] = large.gateways.each_ref().map(|node| node.resident());
        Ok(first? + second?)
    };
    let before = memory(large)?;
    let traces = Trace::many(Kind::Rest, TRACES, random);
    send(&traces, &large.agents.each_ref().map(receiver))?;
    sleep(WARM_UP);
    let waiting = memory(large)?.saturating_sub(before);
    Ok(Bytes {
        queued: (full - empty) / spans,
        waiting: waiting as f64 / (TRACES * SPANS) as f64,
        stored: stored as f64 / all as f64,
    })
}
