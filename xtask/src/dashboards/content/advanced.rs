//! The advanced dashboard: which part of the service is it? The thirteen panels of the user's guide.

use super::http::Http;
use crate::dashboards::alert::{
    CIRCUIT_BREAKER_OPEN, CRITICAL_EVENT_QUEUE_DEPTH, HIGH_ERROR_RATE, HIGH_EVENT_QUEUE_DEPTH,
    LOW_CACHE_HIT_RATE, SLOW_DATABASE_QUERIES, SLOW_REQUEST_LATENCY,
};
use crate::dashboards::dashboard::{Dashboard, Item};
use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit, Word};
use crate::dashboards::query::{Expr, Match, Range, Scope};
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
        description: "Which part of the service is it? HTTP, circuit breakers, event bus, caches, modules, database.",
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
    let [throughput, depth] = event_bus();
    let [hit_rate, size] = cache();
    let [queries, connections] = database();
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
        modules(),
        queries,
        connections,
    ]
    .into_iter()
    .map(Into::into)
    .collect()
}

/// How it is at present.
fn now(http: &Http) -> [Panel; 4] {
    [
        Panel::new(
            1,
            "Request Rate",
            Look::Stat,
            Unit::RequestsPerSecond,
            "Requests in a second, without those of health checks. Nothing here although the service runs: look at \
             the dashboard of the telemetry.",
        )
        .query("{{job}}", http.rate(["job"])),
        Panel::new(
            2,
            "P95 Latency",
            Look::Stat,
            Unit::Seconds,
            "95 of 100 requests take at most so long. When it is red, open the slow traces of the service.",
        )
        .query("{{job}}", http.latency(0.95))
        .watched_by(SLOW_REQUEST_LATENCY)
        .traces(Traces::Slow("500ms")),
        Panel::new(
            3,
            "Error Rate",
            Look::Stat,
            Unit::Share,
            "Share of requests that the server failed to answer: 5xx, a panic, or a body that broke off. When it is \
             red, open the failed traces, and the errors by module below.",
        )
        .query("{{job}}", http.error_share(Range::Rate))
        .watched_by(HIGH_ERROR_RATE)
        .traces(Traces::Failed),
        Panel::new(
            4,
            "Circuit Breaker Status",
            Look::Stat,
            Unit::Count,
            "The worst state of each breaker over all instances. Open: calls are refused, so look at the service \
             behind it. Half-open: a few calls are let through to try it.",
        )
        .query("{{service}}", breaker_state())
        .watched_by(CIRCUIT_BREAKER_OPEN)
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

/// 1 if any instance's breaker is open, although half-open is a greater number; else the greatest.
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
            "Which endpoints the load goes to. If latency rose at the same time as one of these, start there.",
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
            "Time from a request's arrival until its response has been sent. If all three rise, something that all \
             requests need is slow; if P99 alone does, a few are: open the slow traces.",
        )
        .query("P50 {{job}}", http.latency(0.5))
        .query("P95 {{job}}", http.latency(0.95))
        .query("P99 {{job}}", http.latency(0.99))
        .watched_by(SLOW_REQUEST_LATENCY)
        .traces(Traces::Slow("500ms"))
        .exemplars(),
    ]
}

fn event_bus() -> [Panel; 2] {
    [
        Panel::new(
            7,
            "EventBus Throughput",
            Look::TimeSeries,
            Unit::EventsPerSecond,
            "Events published in a second, by type, for the selected tenants. One tenant alone behind a rise: choose \
             it above, and see what it does in its traces.",
        )
        .query(
            "{{event_type}}",
            SCOPE
                .counter(PUBLISHED)
                .rate(Range::Rate)
                .sum_by(["job", "event_type"]),
        )
        .stacked(),
        Panel::new(
            8,
            "EventBus Queue Depth",
            Look::TimeSeries,
            Unit::Count,
            "Events that wait, in the fullest queue of each transport. Over the first line: handlers are slower than \
             publishers, so look at their duration and errors. At the second, the queue is full.",
        )
        .query(
            "{{transport}} {{job}}",
            SCOPE
                .gauge("rustok_event_bus_queue_depth")
                .value()
                .max_by(["job", "transport"]),
        )
        .watched_by(HIGH_EVENT_QUEUE_DEPTH)
        .watched_by(CRITICAL_EVENT_QUEUE_DEPTH),
    ]
}

fn cache() -> [Panel; 2] {
    const LABELS: [&str; 2] = ["job", "cache"];
    let operations = SCOPE.counter("rustok_cache_operations_total");
    let looked_up = |results| {
        let operations = operations.with("result", results);
        operations.rate(Range::Rate).sum_by(LABELS)
    };
    let all = looked_up(Match::Like("hit|miss"));
    [
        Panel::new(
            9,
            "Cache Hit Rate",
            Look::TimeSeries,
            Unit::Share,
            "Share of look-ups that find what they look for; absent without look-ups. Below the line: see whether the \
             cache is full (its size stands still), just started, or its entries expire too soon.",
        )
        .query(
            "{{cache}} {{job}}",
            looked_up(Match::Is("hit"))
                .or_zero_of(all.clone())
                .share_of(all),
        )
        .watched_by(LOW_CACHE_HIT_RATE),
        Panel::new(
            10,
            "Cache Size",
            Look::TimeSeries,
            Unit::Count,
            "Entries in each cache, over all instances. A size that stands still while the hit rate falls is a cache \
             that is too small; a size that drops to nothing is one that was cleared.",
        )
        .query(
            "{{cache}} {{job}}",
            SCOPE.gauge("rustok_cache_size").value().sum_by(LABELS),
        ),
    ]
}

fn modules() -> Panel {
    Panel::new(
        11,
        "Error Rate by Module",
        Look::TimeSeries,
        Unit::PerSecond,
        "Errors in a second, by the module that met them. Start with the module that rose first: errors of others \
         often follow from its own. Types of errors are in the metric's label `error_type`.",
    )
    .query(
        "{{module}} {{job}}",
        SCOPE
            .counter("rustok_module_errors_total")
            .rate(Range::Rate)
            .sum_by(["job", "module"]),
    )
    .traces(Traces::Failed)
}

fn database() -> [Panel; 2] {
    [
        Panel::new(
            12,
            "Database Query Duration",
            Look::TimeSeries,
            Unit::Seconds,
            "95 of 100 queries take at most so long, by type of query. Over the line: the slow traces show the query \
             and its table. If all types rise together, look at the database itself, or for too few connections.",
        )
        .query(
            "P95 {{query_type}} {{job}}",
            SCOPE
                .histogram("rustok_database_query_duration_seconds")
                .quantile(0.95, ["job", "query_type"]),
        )
        .watched_by(SLOW_DATABASE_QUERIES)
        .traces(Traces::Slow("100ms"))
        .exemplars(),
        Panel::new(
            13,
            "Database Connections",
            Look::TimeSeries,
            Unit::Count,
            "Connections of the pool, over all instances. No idle ones left: requests wait for a connection, so look \
             for slow queries, and for transactions that are kept open.",
        )
        .query(
            "{{state}} {{job}}",
            SCOPE
                .gauge("rustok_database_connections")
                .value()
                .sum_by(["job", "state"]),
        )
        .stacked(),
    ]
}
