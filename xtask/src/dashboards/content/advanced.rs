//! The advanced dashboard, which shows the parts of a service: the thirteen panels of RusToK's Metrics
//! Dashboard Guide, and a row for gRPC.

mod grpc;
mod parts;

use super::http::Http;
use crate::dashboards::dashboard::{Dashboard, Item};
use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit, Word};
use crate::dashboards::query::{Expr, Range, Scope};
use crate::dashboards::variable::{METRICS, TRACES, instance, job, tenant};

const REQUESTS: &str = "rustok_http_requests_total";
const PUBLISHED: &str = "rustok_event_bus_published_total";
const SCOPE: Scope = Scope::of(&[
    ("job", "job"),
    ("instance", "instance"),
    ("tenant_id", "tenant"),
]);

pub(crate) fn dashboard() -> Dashboard {
    Dashboard {
        path: "grafana/dashboards/rustok-advanced.json",
        uid: "rustok-advanced",
        title: "RusToK Advanced",
        description: "Find the part of the service that causes a problem: HTTP, circuit breakers, event bus, caches, \
                      modules, database, gRPC.",
        from: "now-1h",
        refresh: "30s",
        variables: vec![
            METRICS,
            TRACES,
            job(REQUESTS),
            instance(REQUESTS),
            tenant(PUBLISHED),
        ],
        items: panels(),
    }
}

fn panels() -> Vec<Item> {
    let http = Http::new(SCOPE);
    let [rate, latency, errors, breakers] = now(&http);
    let [by_endpoint, quantiles] = over_time(&http);
    let [throughput, depth] = parts::event_bus();
    let [hit_rate, size] = parts::cache();
    let [queries, connections] = parts::database();
    [
        rate,
        latency,
        errors,
        breakers,
        by_endpoint,
        quantiles,
        throughput,
        depth,
        hit_rate,
        size,
        parts::modules(),
        queries,
        connections,
    ]
    .into_iter()
    .map(Into::into)
    .chain(grpc::row())
    .collect()
}

/// Current values.
fn now(http: &Http) -> [Panel; 4] {
    [
        Panel::new(
            1,
            "Request Rate",
            Look::Stat,
            Unit::RequestsPerSecond,
            "Requests per second, without health checks. If this is empty although the service runs, open the \
             dashboard RusToK Telemetry.",
        )
        .query("{{job}}", http.rate(["job"])),
        Panel::new(
            2,
            "P95 Latency",
            Look::Stat,
            Unit::Seconds,
            "95 % of the requests take at most this long. When it is red, open the slow traces of the service.",
        )
        .query("{{job}}", http.latency(0.95))
        .watched_by("SlowRequestLatency")
        .slow_traces(),
        Panel::new(
            3,
            "Error Rate",
            Look::Stat,
            Unit::Share,
            "Share of failed requests: those that ended in a 5xx, a panic or an incomplete response body. When it is \
             red, open the failed traces, and look at the errors by module below.",
        )
        .query("{{job}}", http.error_share())
        .watched_by("HighErrorRate")
        .traces(Traces::Failed),
        Panel::new(
            4,
            "Circuit Breaker Status",
            Look::Stat,
            Unit::Count,
            "The worst state of each breaker over all instances. Open: calls are rejected, so look at the service \
             behind the breaker. Half-open: a few probe calls are allowed.",
        )
        .query("{{service}}", breaker_state())
        // The alert counts open breakers. This panel shows their state, whose words have colours.
        .leads_to("CircuitBreakerOpen")
        .words(&BREAKER_STATES)
        .traces(Traces::Failed),
    ]
}

const BREAKER_STATES: [Word; 3] = [
    Word {
        value: 0,
        text: "closed",
        colour: "green",
    },
    Word {
        value: 1,
        text: "open",
        colour: "red",
    },
    Word {
        value: 2,
        text: "half-open",
        colour: "yellow",
    },
];

/// 1 (open) if the breaker of any instance is open, although half-open is 2; else the maximum.
fn breaker_state() -> Expr {
    const LABELS: [&str; 2] = ["job", "service"];
    let state = SCOPE.gauge("rustok_circuit_breaker_state");
    let open = state.value().compared("==", 1.0);
    open.max_by(LABELS).or(state.value().max_by(LABELS))
}

fn over_time(http: &Http) -> [Panel; 2] {
    [
        Panel::new(
            5,
            "HTTP Request Rate by Endpoint",
            Look::TimeSeries,
            Unit::RequestsPerSecond,
            "Requests per second of each endpoint. If the latency rose together with one of them, start there.",
        )
        .query(
            "{{method}} {{endpoint}}",
            SCOPE
                .counter("rustok_http_requests_by_endpoint")
                .rate(Range::Rate)
                .sum_by(["job", "method", "endpoint"]),
        )
        .stacked(),
        Panel::new(
            6,
            "HTTP Request Latency",
            Look::TimeSeries,
            Unit::Seconds,
            "Time from the arrival of a request until its response has been sent. If all three rise, a resource that \
             all requests use is slow. If only P99 rises, a few requests are slow: open the slow traces.",
        )
        .query("P50 {{job}}", http.latency(0.5))
        .query("P95 {{job}}", http.latency(0.95))
        .query("P99 {{job}}", http.latency(0.99))
        .watched_by("SlowRequestLatency")
        .slow_traces()
        .exemplars(),
    ]
}
