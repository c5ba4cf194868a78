//! What a span costs: created, entered, left and closed, with one field of text, on one thread.
//!
//! Every contender has a process of its own, in which its subscriber is that of the whole process, as in a service: the
//! interest of a callsite and the way to a subscriber are shared by all subscribers of a process, so contenders in one
//! process would pay for each other. The rounds alternate between the processes; those that are not measured wait.
//!
//! A round is a number of bursts. Between the bursts, outside of the time that is measured, everything that a burst
//! recorded has to arrive at the exporter; a burst fits into the queue, and is one batch. So nobody drops spans,
//! nobody exports while time is measured, and what is compared is what the thread pays that has the span. All that is of
//! OpenTelemetry goes by OTLP over HTTP to a Collector in the same process; fastrace's spans are only counted.

mod bare;
mod contestant;
mod fastrace;
mod opentelemetry;
mod process;
mod rustok;
mod sender;
mod tracing_opentelemetry;

use self::process::Process;
use std::time::Duration;

pub(crate) use self::{contestant::Contestant, process::measured};
use crate::{
    rounds::{Effort, median},
    table::{Table, with_ratio},
};

/// Measures all contenders, and prints a table. The ratios are those to tracing-opentelemetry with its defaults.
pub(crate) fn report(effort: Effort) {
    let mut processes: Vec<_> = contestants().into_iter().map(Process::start).collect();
    let mut rounds = vec![Vec::with_capacity(effort.rounds); processes.len()];
    for _ in 0..effort.rounds {
        for (times, process) in rounds.iter_mut().zip(&mut processes) {
            times.push(process.round(effort));
        }
    }
    let nanoseconds: Vec<_> = rounds
        .iter_mut()
        .map(|times| median(times).as_secs_f64() * 1e9 / spans_of_a_round(effort) as f64)
        .collect();
    let allocations = processes
        .into_iter()
        .map(|process| format!("{:.1}", process.end()));
    let names = contestants().iter().map(Contestant::name).collect();
    let title = "Spans with one field of text, one thread (times tracing-opentelemetry, sampled)";
    let mut table = Table::new(title, names);
    let peer = contestants()
        .iter()
        .position(|one| *one == Contestant::TracingOpentelemetry)
        .expect("it takes part");
    let to = nanoseconds[peer];
    let cells = nanoseconds.iter().map(|one| with_ratio(*one, to));
    table.column("ns a span", cells.collect());
    table.column("allocations", allocations.collect());
    table.print();
}

/// Spans of one burst: as many as make a batch, and fewer than any queue holds.
const BURST: usize = 2048;

/// When the batch processor looks by itself, which it has to where it missed that a batch is full.
const FLUSH: Duration = Duration::from_millis(50);

fn spans_of_a_round(effort: Effort) -> usize {
    bursts_of_a_round(effort) * BURST
}

fn bursts_of_a_round(effort: Effort) -> usize {
    (effort.records / 16 / BURST).max(1)
}

fn contestants() -> Vec<Contestant> {
    <Contestant as clap::ValueEnum>::value_variants().to_vec()
}
