//! The parts of a service behind its endpoints: event bus, caches, modules, database.

use super::{PUBLISHED, SCOPE};
use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit};
use crate::dashboards::query::{Match, Range};

pub(super) fn event_bus() -> [Panel; 2] {
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
        .watched_by("HighEventQueueDepth")
        .watched_by("CriticalEventQueueDepth"),
    ]
}

pub(super) fn cache() -> [Panel; 2] {
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
        .watched_by("LowCacheHitRate"),
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

pub(super) fn modules() -> Panel {
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

pub(super) fn database() -> [Panel; 2] {
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
        .watched_by("SlowDatabaseQueries")
        .slow_traces()
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
