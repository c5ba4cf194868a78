//! Benchmarks of the SDK against its peers, and against floors that no library can go below.
//!
//! All contenders of a table are measured in one run, in rounds that alternate between them, and the median of the
//! rounds is shown. Afterwards each contender is asked what it holds: a table is printed only if every record arrived.
//!
//! ```text
//! cargo xtask bench            # everything, into docs/benchmarks.md
//! cargo xtask bench --quick    # the same with few rounds, to the terminal only
//! ```
#![allow(clippy::print_stdout, reason = "the program speaks to a terminal")]

#[path = "../../rustok-telemetry/tests/support/any_metric.rs"]
mod any_metric;
mod cardinality;
mod child;
mod client;
mod collector;
mod console;
mod contender;
mod contestants;
mod declared;
mod http_layer;
mod http_service;
mod isolated;
mod label_sets;
mod memory;
mod prometheus_render;
mod record;
mod rounds;
mod scrape;
mod span_layer;
mod started;
mod table;

use clap::{Parser, ValueEnum};

use crate::{collector::Collector, record::Repeated, rounds::Effort};

#[derive(Debug, Parser)]
struct Arguments {
    /// Few rounds: the checks, and figures that are worth nothing.
    #[arg(long)]
    quick: bool,
    /// The text alone, or OTLP as well.
    #[arg(long, value_enum, default_value = "both")]
    outlets: Outlets,
    /// Which values become exemplars.
    #[arg(long, default_value = "trace_based")]
    exemplar_filter: String,
    /// Rounds of `console`, and the seconds of each.
    #[arg(long, num_args = 2, value_names = ["ROUNDS", "SECONDS"])]
    rounds: Option<Vec<u64>>,
    /// Be one of those that have a process each, and take orders from the standard input.
    #[arg(long, value_enum, hide = true)]
    contestant: Option<contestants::Contestant>,
    /// Be the service whose console is measured, and take orders from the standard input.
    #[arg(long, value_enum, hide = true)]
    service_with_console: Option<Switch>,
    /// What to measure.
    #[arg(value_enum)]
    part: Part,
    /// What is repeated.
    #[command(flatten)]
    repeated: Repeated,
}

/// Where the SDK's metrics can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Outlets {
    Text,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    Off,
    On,
}

/// Each is measured in a process of its own, so that none sees the series of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Record,
    /// What exemplars add to a record.
    Exemplars,
    PrometheusRender,
    Memory,
    /// A flood of distinct label values.
    Cardinality,
    /// One contender alone, for programs that watch it from outside: callgrind, perf.
    Repeat,
    SpanLayer,
    HttpLayer,
    HttpService,
    /// The page that a service serves itself.
    Console,
}

fn main() {
    let arguments = Arguments::parse();
    let effort = match arguments.quick {
        true => Effort::QUICK,
        false => Effort::FULL,
    };
    if arguments.quick {
        isolated::be_quick();
    }
    if let Some(contestant) = arguments.contestant {
        return isolated::measured(contestant);
    }
    if let Some(console) = arguments.service_with_console {
        return console::serve(console == Switch::On);
    }
    match arguments.part {
        Part::SpanLayer => return contestants::report_spans(effort),
        Part::HttpLayer => return contestants::report_http_layers(effort),
        Part::HttpService => return http_service::report(effort),
        Part::Console => return console::report(effort, arguments.rounds.as_deref()),
        Part::Record
        | Part::Exemplars
        | Part::PrometheusRender
        | Part::Memory
        | Part::Cardinality
        | Part::Repeat => {}
    }
    let collector = (arguments.outlets == Outlets::Both).then(Collector::start);
    let telemetry = started::start_telemetry(collector.as_ref(), &arguments.exemplar_filter);
    match arguments.part {
        Part::Record => record::report(effort),
        Part::Exemplars => record::exemplars::report(effort, &arguments.exemplar_filter),
        Part::PrometheusRender => {
            prometheus_render::report(effort);
            scrape::report(effort);
        }
        Part::Memory => memory::report(),
        Part::Cardinality => cardinality::report(effort),
        Part::Repeat => record::repeat(&arguments.repeated),
        Part::SpanLayer | Part::HttpLayer | Part::HttpService | Part::Console => {
            unreachable!("they need no telemetry here")
        }
    }
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    if let Some(collector) = collector {
        collector.assert_last_sums(&declared::expected_sums());
    }
}
