//! Contenders that have a process each, because what they install is of the whole process.
//!
//! Every contender has a process of its own, in which its subscriber is that of the whole process, as in a service: the
//! interest of a callsite and the way to a subscriber are shared by all subscribers of a process, so contenders in one
//! process would pay for each other. The rounds alternate between the processes; those that are not measured wait.
//!
//! A round is a number of bursts. Between the bursts, outside of the time that is measured, everything that a burst
//! recorded has to arrive at the exporter; a burst fits into the queue, and is one batch. So nobody drops spans,
//! nobody exports while time is measured, and what is compared is what the thread pays that has the span. All that is of
//! OpenTelemetry goes by OTLP over HTTP to a Collector in the same process; fastrace's spans are only counted.

use std::{sync::OnceLock, time::Duration};

mod process;

use self::process::Process;
use self::process::Round;
pub(crate) use self::process::measured;
use crate::{
    rounds::{Effort, median},
    table::Table,
};

/// A contender that has a process of its own.
pub(crate) trait Contestant: Copy + PartialEq {
    /// Its name in the table.
    fn name(&self) -> &'static str;

    /// The argument that makes this program the contender.
    fn argument(&self) -> String;

    /// Threads that share its work.
    fn threads(self) -> usize;

    /// Sets it up in this process.
    fn set_up(self) -> Work;
}

/// What a contender repeats.
pub(crate) struct Work {
    /// Does it so many times.
    pub(crate) act: Box<dyn Fn(usize)>,
    /// How many spans arrived, if they go anywhere.
    pub(crate) arrived: Option<Box<dyn Fn() -> u64>>,
    /// Asserts what must hold after so many times.
    pub(crate) check: Box<dyn Fn(u64)>,
}

/// The unit of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    /// Repetitions that make one unit.
    pub(crate) acts: usize,
}

impl Unit {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, acts: 1 }
    }
}

/// Measures contenders, and prints a table. The ratios are those to one of them.
pub(crate) fn report<C: Contestant>(
    title: &str,
    unit: Unit,
    contestants: &[C],
    peer: C,
    effort: Effort,
) {
    let mut processes: Vec<_> = contestants.iter().map(Process::start).collect();
    let mut rounds = vec![Vec::with_capacity(effort.rounds); processes.len()];
    for _ in 0..effort.rounds {
        for (times, process) in rounds.iter_mut().zip(&mut processes) {
            times.push(process.round(effort));
        }
    }
    let units = (bursts_of_a_round(effort) * burst() / unit.acts) as f64;
    // The counter sees the allocations of one thread.
    let allocations = processes
        .into_iter()
        .zip(contestants)
        .map(|(process, one)| process.end() * (one.threads() * unit.acts) as f64)
        .map(|allocations| format!("{allocations:.1}"));
    let names = contestants.iter().map(C::name).collect();
    let mut table = Table::new(format!("{title} (times {})", peer.name()), names);
    let peer = contestants.iter().position(|one| *one == peer);
    let peer = peer.expect("it takes part");
    let mut column = |heading, nanoseconds: Vec<f64>| {
        let to = nanoseconds[peer];
        let cells = nanoseconds
            .iter()
            .map(|one| format!("{one:.0} ({:.2} ×)", one / to));
        table.column(heading, cells.collect());
    };
    let nanoseconds = |time: fn(&Round) -> Duration| {
        let of_contestant = |rounds: &Vec<Round>| {
            let mut times: Vec<_> = rounds.iter().map(time).collect();
            median(&mut times).as_secs_f64() * 1e9 / units
        };
        rounds.iter().map(of_contestant).collect()
    };
    // The scheduler may run two threads on one core, so their elapsed time is not comparable.
    if contestants.iter().all(|one| one.threads() == 1) {
        column(
            format!("ns a {}", unit.name),
            nanoseconds(|round| round.time),
        );
    }
    column(
        format!("ns of the process a {}", unit.name),
        nanoseconds(|round| round.processor),
    );
    table.column("allocations", allocations.collect());
    table.print();
}

/// Spans of one burst: as many as make a batch, and fewer than any queue holds.
pub(crate) fn burst() -> usize {
    *BURST.get_or_init(|| 2048)
}

/// Few spans in a burst, for checks alone. To be said before the first one.
pub(crate) fn be_quick() {
    BURST.get_or_init(|| 128);
}

static BURST: OnceLock<usize> = OnceLock::new();

/// When the batch processor looks by itself, which it has to where it missed that a batch is full.
pub(crate) const FLUSH: Duration = Duration::from_millis(50);

fn bursts_of_a_round(effort: Effort) -> usize {
    (effort.records / 16 / burst()).max(1)
}
