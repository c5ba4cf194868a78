//! Who calls whom: what the Collector makes of pairs of client and server spans.

use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit};
use crate::dashboards::query::{Expr, Match, Range, Scope};

const LABELS: [&str; 2] = ["client", "server"];
/// Calls that a selected service makes, and calls that it answers.
const CALLERS: Scope = Scope::of(&[("client", "job")]);
const CALLED: Scope = Scope::of(&[("server", "job")]);
const CALLS: &str = "traces_service_graph_request_total";
/// The Collector's name for a client that sends no spans.
const NOBODY: Match<'_> = Match::IsNot("user");

pub(super) fn panels() -> [Panel; 4] {
    [
        Panel::new(
            10,
            "Calls between services",
            Look::BarGauge,
            Unit::PerSecond,
            "The twenty ways with the most calls in a second, from or to the selected services. One that should not be \
             there is a new dependency. `user` is whoever sends no spans. Calls are counted from sampled spans.",
        )
        .query("{{client}} → {{server}}", calls().top(20)),
        Panel::new(
            11,
            "Calls between services over time",
            Look::TimeSeries,
            Unit::PerSecond,
            "The same over time. A way that stops: the caller has given up, or its breaker is open. Compare the rise \
             of one with those behind it. Sampling makes it fewer.",
        )
        .query("{{client}} → {{server}}", calls()),
        Panel::new(
            12,
            "Share of calls that fail",
            Look::TimeSeries,
            Unit::Share,
            "Share of the calls of which one of the two spans has an error. The service that is furthest behind and \
             fails is where to look: open the failed traces of its caller. Sampling that keeps failed traces makes it \
             greater than it is.",
        )
        .query(
            "{{client}} → {{server}}",
            either(|scope| rate(scope, "traces_service_graph_request_failed_total"))
                .or_zero_of(calls())
                .share_of(calls()),
        )
        .traces(Traces::Failed),
        Panel::new(
            13,
            "P95 of calls between services",
            Look::TimeSeries,
            Unit::Seconds,
            "95 of 100 calls take at most so long, as the caller measures it: the network and the waiting are in it. \
             Compare with the duration of the called service's own spans above: what is left is on the way.",
        )
        .query(
            "{{client}} → {{server}}",
            either(|scope| {
                let duration = scope.histogram("traces_service_graph_request_client");
                duration.with("client", NOBODY).quantile(0.95, LABELS)
            }),
        ),
    ]
    .map(|panel| panel.services(&LABELS))
}

fn calls() -> Expr {
    either(|scope| rate(scope, CALLS))
}

fn rate(scope: Scope, counter: &str) -> Expr {
    scope.counter(counter).rate(Range::Rate).sum_by(LABELS)
}

/// A way is shown if either end is selected.
fn either(of: impl Fn(Scope) -> Expr) -> Expr {
    of(CALLERS).or(of(CALLED))
}
