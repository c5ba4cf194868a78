//! `cargo xtask scale kafka`: Kafka between the tiers.

use std::time::Duration;

use clap::Args;
use xtask::progress::Reporter;
use xtask::scale::kafka::{self, Kafka};
use xtask::scale::tiers::{Programs, WAIT};
use xtask::scale::{Error, shares};

/// Put Kafka between agents and gateways: stop all gateways, kill Kafka, kill a gateway. Needs Java and Maven.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Minutes without a gateway.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Seconds from a trace's first span to the decision, while no gateway runs and after that.
    #[arg(long, default_value_t = 10)]
    wait: u64,
    /// Kills of Kafka with each wait for decisions, and of a gateway with each interval of commits.
    #[arg(long, default_value_t = 3)]
    kills: u32,
}

pub(super) fn run(
    options: &Options,
    programs: &Programs,
    random: &mut fastrand::Rng,
) -> Result<Vec<String>, Error> {
    let reporter = &mut Reporter::stderr();
    let wait = Duration::from_secs(options.wait);
    let mut kafka = Kafka::start(programs, wait, reporter)?;
    let shares = shares::run(&kafka.tiers, random)?;
    println!("{shares}");
    let mut problems = shares.problems();
    let away = Duration::from_secs_f64(60.0 * options.minutes);
    let outage = kafka::without_gateways(&mut kafka, away, random, reporter)?;
    println!("{outage}");
    problems.extend(outage.problems());
    // Without the traces so far.
    drop(kafka);
    let mut kafka = Kafka::start(programs, WAIT, reporter)?;
    let away = Duration::from_secs(15);
    // Longer than Kafka's outage and the reading of its backlog, so that gateways decide on whole traces; and shorter.
    for wait in [Duration::from_secs(40), WAIT] {
        kafka::decide_after(&mut kafka, wait)?;
        for _ in 0..options.kills {
            let broker = kafka::broker_under_load(&mut kafka, away, random)?;
            println!("Kafka killed under load, a decision after {wait:?}: {broker:?}");
            problems.extend(broker.problems());
        }
    }
    let away = Duration::from_secs(4);
    for commit in [30, 1].map(Duration::from_secs) {
        kafka::commit_every(&mut kafka, commit)?;
        for _ in 0..options.kills {
            let (undecided, repeated) =
                kafka::gateway_under_load(&mut kafka, away, commit, random)?;
            println!(
                "gateway killed under load, a commit every {} s: {repeated} spans exported again, {undecided:?}",
                commit.as_secs()
            );
            problems.extend(undecided.problems());
        }
    }
    Ok(problems)
}
