//! `cargo xtask size`: what the stack past one machine needs.

use std::process::ExitCode;

use clap::Args;
use xtask::children;
use xtask::progress::Reporter;
use xtask::scale::large::Large;
use xtask::scale::size::measure::{self, Compared, Phase};
use xtask::scale::size::{Demand, Prices, constants, series};
use xtask::stack::programs::{self, Program};

use super::Error;

/// Print what the stack past one machine needs: processes, cores, memory, disk, and the price of a month.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Instances of services.
    #[arg(long, default_value_t = 10.0)]
    instances: f64,
    /// Requests of an instance in a second.
    #[arg(long, default_value_t = constants::REQUESTS)]
    requests: f64,
    /// Spans of a request, those of all services together.
    #[arg(long, default_value_t = constants::SPANS)]
    spans: f64,
    /// Series of an instance.
    #[arg(long, default_value_t = constants::SERIES)]
    series: f64,
    /// Instances on a node, which has an agent.
    #[arg(long, default_value_t = 20.0)]
    per_node: f64,
    /// Seconds from one export of metrics to the next.
    #[arg(long, default_value_t = 60.0)]
    interval: f64,
    /// Percentage of traces that the gateways keep, those with errors included.
    #[arg(long, default_value_t = 100.0 * constants::KEPT)]
    kept: f64,
    /// Days that traces are kept.
    #[arg(long, default_value_t = 7.0)]
    trace_days: f64,
    /// Days that metrics are kept.
    #[arg(long, default_value_t = 15.0)]
    metric_days: f64,
    /// Hours of an outage of Kafka, for which agents keep spans.
    #[arg(long, default_value_t = 1.0)]
    outage_hours: f64,
    /// Hours that Kafka keeps spans, read or not.
    #[arg(long, default_value_t = 24.0)]
    kafka_hours: f64,
    /// Seconds that a trace waits for the decision of a gateway.
    #[arg(long, default_value_t = constants::SAMPLING_WAIT)]
    sampling_wait: f64,
    /// Price of a core for a month.
    #[arg(long, default_value_t = 25.0)]
    core_price: f64,
    /// Price of a GiB of memory for a month.
    #[arg(long, default_value_t = 3.0)]
    memory_price: f64,
    /// Price of a GiB of disk for a month.
    #[arg(long, default_value_t = 0.1)]
    disk_price: f64,
    /// Measure 1, 2 and 4 instances on this machine instead, and compare them with the model. Ignores all other
    /// inputs but `--seed`. Needs Java and Maven.
    #[arg(long)]
    measure: bool,
    /// Seed of the random values that `--measure` sends.
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let demand = options.demand()?;
    if options.measure {
        children::end_with_signals()?;
        let wrong = compare(options.seed).map_err(|error| error.to_string())?;
        return Ok(ExitCode::from(u8::from(wrong > 0)));
    }
    println!("{demand}");
    Ok(ExitCode::SUCCESS)
}

impl Options {
    fn demand(&self) -> Result<Demand, Error> {
        let problems: Vec<_> = [
            ("instances", self.instances),
            ("requests", self.requests),
            ("spans", self.spans),
            ("series", self.series),
            ("per-node", self.per_node),
            ("interval", self.interval),
            ("kept", self.kept),
            ("trace-days", self.trace_days),
            ("metric-days", self.metric_days),
            ("outage-hours", self.outage_hours),
            ("kafka-hours", self.kafka_hours),
            ("sampling-wait", self.sampling_wait),
            ("core-price", self.core_price),
            ("memory-price", self.memory_price),
            ("disk-price", self.disk_price),
        ]
        .into_iter()
        .filter_map(|(name, value)| {
            let wanted = match name {
                "kept" if !(0.0..=100.0).contains(&value) => "a percentage from 0 to 100",
                "instances" | "per-node" | "interval" if value <= 0.0 => "a number above 0",
                _ if !(value.is_finite() && value >= 0.0) => "a number from 0",
                _ => return None,
            };
            Some(format!("--{name} {value}: set {wanted}"))
        })
        .collect();
        if !problems.is_empty() {
            return Err(problems.join("\n").into());
        }
        Ok(Demand {
            instances: self.instances,
            requests: self.requests,
            spans: self.spans,
            series: self.series,
            per_node: self.per_node,
            interval: self.interval,
            kept: self.kept / 100.0,
            trace_days: self.trace_days,
            metric_days: self.metric_days,
            outage_hours: self.outage_hours,
            kafka_hours: self.kafka_hours,
            wait: self.sampling_wait,
            prices: Prices {
                core: self.core_price,
                memory: self.memory_price,
                disk: self.disk_price,
            },
        })
    }
}

/// Rounds of measurements, an odd number. The one in the middle counts.
const ROUNDS: usize = 3;

/// Returns how many predictions were wrong.
fn compare(seed: u64) -> Result<usize, xtask::scale::Error> {
    let random = &mut fastrand::Rng::with_seed(seed);
    let reporter = &mut Reporter::stderr();
    let programs = super::scale::large_programs("size")?;
    let prometheus = programs::path(Program::Prometheus)?;
    let series = series::measure(&prometheus, &programs.tiers.folder.join("series"), random)?;
    println!("{series:?}");
    let mut large = Large::start(&programs, 10, reporter)?;
    let mut load = |phase: Phase| {
        let measured = measure::run(&mut large, &programs, phase, reporter)?;
        println!("{measured:#?}");
        Ok::<_, xtask::scale::Error>(measured)
    };
    load(Phase::WARM)?;
    let mut rounds = Vec::new();
    for number in 1..=ROUNDS {
        let round = Phase::ROUND.into_iter().map(&mut load);
        let (machine, compared) = measure::compare(&round.collect::<Result<Vec<_>, _>>()?);
        println!("cores of each part on this machine ÷ predicted: {machine:.2?}");
        print(&format!("round {number}"), &compared);
        rounds.push(compared);
    }
    load(Phase::IDLE)?;
    let compared = measure::middle(&rounds);
    print("the round in the middle", &compared);
    let wrong = compared.iter().filter(|compared| !compared.is_right());
    let wrong = wrong.count();
    println!(
        "{:?}",
        measure::bytes(&mut large, &programs, random, reporter)?
    );
    let all = compared.len();
    println!(
        "{wrong} of {all} predictions differ by more than 20 % and, for cores, by more than 0.02"
    );
    Ok(wrong)
}

fn print(title: &str, compared: &[Compared]) {
    println!(
        "{title:<42}{:>12}{:>12}{:>12}",
        "predicted", "measured", "difference"
    );
    for compared in compared {
        println!("{compared}");
    }
}
