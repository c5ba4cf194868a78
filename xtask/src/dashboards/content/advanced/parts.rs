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
            "Events published per second, by type. If one tenant causes a rise, select it above and open its traces.",
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
            "Waiting events in the fullest queue of each transport. Above the first line, handlers are slower than \
             publishers: look at their duration and errors. At the second line, the queue is full.",
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
            "Share of lookups that are hits; absent without lookups. Below the line, check whether the cache is full \
             (its size is constant), has just started, or lets entries expire too soon.",
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
            "Entries in each cache, over all instances. If the size is constant while the hit rate falls, the cache \
             is too small. If the size drops to zero, the cache was cleared.",
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
        "Errors per second, by the module that returned them. Start with the module whose errors rose first: those of \
         others often follow. The label `error_type` of the metric has the types of the errors.",
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
            "95 % of the queries take at most this long, by query type. Above the line, the slow traces show the query \
             and its table. If all types rise together, check the database itself and the number of connections.",
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
            "Connections of the pool, over all instances. Without idle connections, requests wait for one: look for \
             slow queries and for transactions that stay open.",
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
