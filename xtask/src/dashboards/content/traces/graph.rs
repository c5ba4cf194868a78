//! The service graph, which the Collector derives from pairs of client and server spans.

use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit};
use crate::dashboards::query::{Expr, Match, Range, Scope};

const LABELS: [&str; 2] = ["client", "server"];
/// Calls from a selected service, and calls to it.
const CALLERS: Scope = Scope::of(&[("client", "job")]);
const CALLED: Scope = Scope::of(&[("server", "job")]);
const CALLS: &str = "traces_service_graph_request_total";
/// Excludes `user`, the Collector's name for clients without spans.
const INSTRUMENTED: Match<'_> = Match::IsNot("user");

pub(super) fn panels() -> [Panel; 4] {
    [
        Panel::new(
            10,
            "Calls between services",
            Look::BarGauge,
            Unit::PerSecond,
            "The twenty pairs of services with the most calls per second, from or to the selected services. An \
             unexpected pair is a new dependency. `user` stands for clients without spans. Only sampled spans are \
             counted.",
        )
        .query("{{client}} → {{server}}", calls().top(20)),
        Panel::new(
            11,
            "Calls between services over time",
            Look::TimeSeries,
            Unit::PerSecond,
            "The same over time. If the calls of a pair stop, the client no longer calls, or its circuit breaker is \
             open. Compare a rise with the calls further downstream. Only sampled spans are counted.",
        )
        .query("{{client}} → {{server}}", calls()),
        Panel::new(
            12,
            "Share of failed calls",
            Look::TimeSeries,
            Unit::Share,
            "Share of calls in which the client or the server span has an error. Start with the failing service that \
             is furthest downstream: open the failed traces of its client. A sampler that prefers failed traces raises \
             this share.",
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
            "95 % of the calls take at most this long, measured by the client, with network and waiting time. The \
             difference to the duration of the server's spans above is spent between the services.",
        )
        .query(
            "{{client}} → {{server}}",
            either(|scope| {
                let duration = scope.histogram("traces_service_graph_request_client");
                duration.with("client", INSTRUMENTED).quantile(0.95, LABELS)
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

/// Shows a pair if its client or its server is selected.
fn either(of: impl Fn(Scope) -> Expr) -> Expr {
    of(CALLERS).or(of(CALLED))
}
