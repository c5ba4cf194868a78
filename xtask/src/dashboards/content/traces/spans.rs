//! Calls, errors and durations of spans.

use super::{CALLS, SCOPE};
use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit};
use crate::dashboards::query::{Expr, Histogram, Match, Range};

const FAILED: Match<'_> = Match::Is("STATUS_CODE_ERROR");
const BY_SERVICE: [&str; 1] = ["job"];
const BY_NAME: [&str; 2] = ["job", "span_name"];

/// All spans of a service together.
pub(super) fn of_services() -> [Panel; 4] {
    [
        Panel::new(
            1,
            "Spans by kind",
            Look::TimeSeries,
            Unit::PerSecond,
            "Spans received by the Collector per second, by kind. With sampling, only sampled spans: \
             rustok_spans_created_total counts all. If this is empty although the service has requests, open the \
             dashboard RusToK Telemetry.",
        )
        .query(
            "{{span_kind}} {{job}}",
            calls(["job", "span_kind"]),
        )
        .stacked(),
        Panel::new(
            2,
            "Share of spans with errors",
            Look::TimeSeries,
            Unit::Share,
            "Share of received spans whose status is an error. A sampler that prefers failed traces raises this share; \
             RusToK Overview has the share of all requests. Open the failed traces.",
        )
        .query("{{job}}", error_share(BY_SERVICE))
        .traces(Traces::Failed),
        Panel::new(
            3,
            "Duration of spans (P50, P95, P99)",
            Look::TimeSeries,
            Unit::Milliseconds,
            "Durations of the selected spans; select the kind SPAN_KIND_SERVER for whole requests. Each point is a \
             trace: open a high one. With sampling, only sampled spans.",
        )
        .query("P50 {{job}}", duration().quantile(0.5, BY_SERVICE))
        .query("P95 {{job}}", duration().quantile(0.95, BY_SERVICE))
        .query("P99 {{job}}", duration().quantile(0.99, BY_SERVICE))
        .exemplars(),
        Panel::new(
            4,
            "Durations heatmap",
            Look::Heatmap,
            Unit::Milliseconds,
            "Number of selected spans by duration, with traces as points. Open a point in an unexpected band. With \
             sampling, only sampled spans.",
        )
        .query(
            "{{le}}",
            duration().buckets().increase(Range::Rate).sum_by(["le"]),
        )
        .exemplars()
        .size(12, 8),
    ]
}

/// Spans by name.
pub(super) fn by_name() -> [Panel; 5] {
    [
        Panel::new(
            5,
            "Spans per second by name",
            Look::TimeSeries,
            Unit::PerSecond,
            "Spans per second of each name. With sampling, only sampled spans. If a name contains a number or an id, \
             give the span a fixed name, and record the id as a field.",
        )
        .query("{{span_name}} {{job}}", calls(BY_NAME)),
        Panel::new(
            6,
            "P95 by span",
            Look::TimeSeries,
            Unit::Milliseconds,
            "95 % of the spans of each name take at most this long. Start with the name that rose first, and open its \
             points: each is a trace. A sampler that prefers slow traces raises these durations.",
        )
        .query("{{span_name}} {{job}}", duration().quantile(0.95, BY_NAME))
        .exemplars(),
        Panel::new(
            7,
            "Spans that take the most time",
            Look::BarGauge,
            Unit::Milliseconds,
            "The ten span names with the most total time, in milliseconds per second. The time of a span includes its \
             children, so look for the longest bar without a long child. With sampling, the times are lower and the \
             order is the same.",
        )
        .query("{{span_name}} {{job}}", time_spent().top(10)),
        Panel::new(
            8,
            "Spans with the most errors",
            Look::BarGauge,
            Unit::PerSecond,
            "The ten span names with the most errors per second. An error often comes from a child: open the failed \
             traces, and look for the deepest span with an error. With sampling, only sampled spans.",
        )
        .query("{{span_name}} {{job}}", errors(BY_NAME).top(10))
        .traces(Traces::Failed),
        Panel::new(
            9,
            "Share of errors by span",
            Look::TimeSeries,
            Unit::Share,
            "Share of the spans of each name whose status is an error. If one name fails, the cause is there. If many \
             fail at once, it is a shared dependency: see the service graph below. A sampler that prefers failed traces \
             raises this share.",
        )
        .query("{{span_name}} {{job}}", error_share(BY_NAME))
        .traces(Traces::Failed)
        .size(24, 8),
    ]
}

fn calls<const N: usize>(by: [&'static str; N]) -> Expr {
    SCOPE.counter(CALLS).rate(Range::Rate).sum_by(by)
}

/// Errors per second; zero if no span has failed.
fn errors<const N: usize>(by: [&'static str; N]) -> Expr {
    let failed = SCOPE.counter(CALLS).with("status_code", FAILED);
    failed.rate(Range::Rate).sum_by(by).or_zero_of(calls(by))
}

fn error_share<const N: usize>(by: [&'static str; N]) -> Expr {
    errors(by).share_of(calls(by))
}

fn duration() -> Histogram {
    SCOPE.histogram("traces_span_metrics_duration")
}

/// Milliseconds of each second, over all spans of a name.
fn time_spent() -> Expr {
    duration().sum().rate(Range::Rate).sum_by(BY_NAME)
}
