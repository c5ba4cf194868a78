//! Metrics that the Collector derives from received spans: calls, errors and durations by span, with links to traces,
//! and the service graph.

mod graph;
mod spans;

use crate::dashboards::dashboard::{Dashboard, Item};
use crate::dashboards::query::Scope;
use crate::dashboards::variable::{METRICS, TRACES, job, values_of};

const CALLS: &str = "traces_span_metrics_calls";
const SCOPE: Scope = Scope::of(&[("job", "job"), ("span_kind", "kind"), ("span_name", "span")]);

pub(crate) fn dashboard() -> Dashboard {
    let mut items = vec![Item::row(100, "Services")];
    items.extend(spans::of_services().map(Item::from));
    items.push(Item::row(200, "Spans"));
    items.extend(spans::by_name().map(Item::from));
    items.push(Item::row(300, "Service graph"));
    items.extend(graph::panels().map(Item::from));
    Dashboard {
        path: "grafana/dashboards/rustok-traces.json",
        uid: "rustok-traces",
        title: "RusToK Traces",
        description: "Find the span that is slow or fails, and a trace that contains it. The Collector derives these \
                      metrics from the spans that it receives: with sampling, only from sampled ones. rustok_spans_* \
                      and rustok_span_*, which services export, count every span.",
        from: "now-1h",
        refresh: "30s",
        variables: vec![
            METRICS,
            TRACES,
            job(CALLS),
            values_of("kind", "Kind", CALLS, "span_kind", KIND),
            values_of("span", "Span", CALLS, "span_name", NAME),
        ],
        items,
    }
}

/// The selections of the preceding variables.
const KIND: Scope = Scope::of(&[("job", "job")]);
const NAME: Scope = Scope::of(&[("job", "job"), ("span_kind", "kind")]);
