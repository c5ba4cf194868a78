//! The calls of gRPC servers and clients.

use super::SCOPE;
use crate::dashboards::dashboard::Item;
use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit};
use crate::dashboards::query::Range;

const HANDLED: [(&str, &str); 2] = [
    ("rustok_grpc_server_handled_total", "served"),
    ("rustok_grpc_client_handled_total", "called"),
];

/// A row with panels. It is empty without services that use gRPC.
pub(super) fn row() -> Vec<Item> {
    let mut rate = Panel::new(
        15,
        "gRPC Call Rate by Method",
        Look::TimeSeries,
        Unit::RequestsPerSecond,
        "gRPC calls per second that each service served, and that it made. `_OTHER` are calls of unknown methods.",
    );
    let mut codes = Panel::new(
        16,
        "gRPC Calls by Code",
        Look::TimeSeries,
        Unit::RequestsPerSecond,
        "gRPC calls per second by their status code. `DEADLINE_EXCEEDED`: the caller's time is too short, or the method \
         is slow. `CANCELLED`: callers disconnect. `UNAVAILABLE`: the service cannot be reached, or refuses calls. \
         `panic`: a bug, so open the failed traces.",
    )
    .traces(Traces::Failed)
    .colours(&[(" OK ", "green"), (" (UNKNOWN|INTERNAL|DATA_LOSS|UNAVAILABLE|panic) ", "red")]);
    for (metric, verb) in HANDLED {
        let handled = SCOPE.counter(metric).rate(Range::Rate);
        let legend = |label| format!("{verb} {{{{{label}}}}} {{{{job}}}}");
        rate = rate.query(legend("method"), handled.clone().sum_by(["job", "method"]));
        codes = codes.query(legend("code"), handled.sum_by(["job", "code"]));
    }
    let latency = Panel::new(
        17,
        "gRPC P95 Latency by Method",
        Look::TimeSeries,
        Unit::Seconds,
        "95 % of the calls take at most this long, until their status; a stream takes until its end. If only the \
         callers' time rises, the network or a connection is slow.",
    )
    .query(
        "served {{method}} {{job}}",
        SCOPE
            .histogram("rustok_grpc_server_duration_seconds")
            .quantile(0.95, ["job", "method"]),
    )
    .query(
        "called {{method}} {{job}}",
        SCOPE
            .histogram("rustok_grpc_client_duration_seconds")
            .quantile(0.95, ["job", "method"]),
    )
    .exemplars();
    let panels = [rate, codes, latency].map(|panel| panel.size(8, 8));
    let mut items = vec![Item::row(14, "gRPC")];
    items.extend(panels.map(Item::from));
    items
}
