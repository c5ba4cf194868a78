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
            "Spans that reached the Collector in a second, by kind. With sampling these are the sampled ones: to see \
             how many there were, ask for rustok_spans_created_total. None although the service has requests: look at the \
             dashboard of the telemetry.",
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
            "Share of the spans that reached the Collector and have the status error. A sampler that keeps failed \
             traces makes it greater than it is: the share of all requests is on the overview. Open the failed traces.",
        )
        .query("{{job}}", error_share(BY_SERVICE))
        .traces(Traces::Failed),
        Panel::new(
            3,
            "Duration of spans (P50, P95, P99)",
            Look::TimeSeries,
            Unit::Milliseconds,
            "Durations of the selected spans; choose the kind SPAN_KIND_SERVER for whole requests. Each point is a trace: open \
             one that is high. With sampling they are those of the sampled spans.",
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
            "How many of the selected spans took how long, with the traces behind them as points. Open a point of a \
             band that should not be there. With sampling they are those of the sampled spans.",
        )
        .query(
            "{{le}}",
            duration().buckets().increase(Range::Rate).sum_by(["le"]),
        )
        .exemplars()
        .size(12, 8),
    ]
}

/// Which span it is.
pub(super) fn by_name() -> [Panel; 5] {
    [
        Panel::new(
            5,
            "Spans in a second by name",
            Look::TimeSeries,
            Unit::PerSecond,
            "How often each span was seen; sampling makes it fewer. A name with a number or an id in it is a mistake: \
             give the span a fixed name, and record the id as a field.",
        )
        .query("{{span_name}} {{job}}", calls(BY_NAME)),
        Panel::new(
            6,
            "P95 by span",
            Look::TimeSeries,
            Unit::Milliseconds,
            "95 of 100 spans of each name take at most so long. Start with the name that rose first, and open the \
             points: each is a trace. Sampling changes it little unless it prefers slow traces.",
        )
        .query("{{span_name}} {{job}}", duration().quantile(0.95, BY_NAME))
        .exemplars(),
        Panel::new(
            7,
            "Spans that take the most time",
            Look::BarGauge,
            Unit::Milliseconds,
            "The ten spans with the most time in all, of every second at present. The time of a span has that of its \
             children in it, so look for the longest bar that has no long child. With sampling it is less in all, and \
             the order stays.",
        )
        .query("{{span_name}} {{job}}", time_spent().top(10)),
        Panel::new(
            8,
            "Spans with the most errors",
            Look::BarGauge,
            Unit::PerSecond,
            "The ten spans that fail most often at present. An error often comes from a child: open the failed traces, \
             and look for the deepest span with an error. With sampling there are more than are shown here.",
        )
        .query("{{span_name}} {{job}}", errors(BY_NAME).top(10))
        .traces(Traces::Failed),
        Panel::new(
            9,
            "Share of errors by span",
            Look::TimeSeries,
            Unit::Share,
            "Share of the spans of each name that have the status error. One name alone: the fault is there. Many at \
             once: it is in what they share, so see who calls whom below. Sampling that keeps failed traces makes it \
             greater than it is.",
        )
        .query("{{span_name}} {{job}}", error_share(BY_NAME))
        .traces(Traces::Failed)
        .size(24, 8),
    ]
}

fn calls<const N: usize>(by: [&'static str; N]) -> Expr {
    SCOPE.counter(CALLS).rate(Range::Rate).sum_by(by)
}

/// Zero as long as none has failed.
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
