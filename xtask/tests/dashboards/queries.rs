//! Every query is sound.

use rustok_telemetry::metrics::Kind;
use xtask::dashboards::query::THIRD_PARTY;

use crate::file::{Times, all, text};
use crate::promql::problems;

/// What Grafana makes of its variables at most resolutions: with `timeInterval` of 60 s, four times that.
const TIMES: Times = Times {
    rate_interval: "4m",
    range: "1h",
};

#[test]
fn every_query_is_valid() {
    let mut queries = 0;
    for file in all() {
        let of_panels = file.queries().map(|query| query.expr);
        for expr in of_panels.chain(file.annotations()) {
            queries += 1;
            let filled = file.fill(expr, TIMES);
            assert_eq!(problems(&filled), [""; 0], "{}: {filled}", file.name);
        }
    }
    assert!(queries > 50, "{queries} queries");
}

#[test]
fn variables_query_existing_series() {
    for file in all() {
        for values in file.label_values() {
            let selects = format!("{}=~\\\"${}\\\"", values.label, values.variable);
            assert!(
                file.json.to_string().contains(&selects),
                "{}: {selects}",
                file.name
            );
            // One of these is sound if the series exist and have the label: the first of gauges, the second of counters.
            let series = file.fill(values.series, TIMES);
            let queries = [series.clone(), format!("rate({series}[5m])")];
            let found =
                queries.map(|query| problems(&format!("sum by ({}) ({query})", values.label)));
            assert!(found.iter().any(Vec::is_empty), "{}: {found:?}", file.name);
        }
    }
}

/// A range that is fixed shows nothing new when one zooms in, and jumps when one zooms out.
#[test]
fn ranges_follow_the_selected_time_range() {
    for file in all() {
        for query in file.queries() {
            let ranges = query.expr.split('[').skip(1);
            for range in ranges.filter_map(|rest| rest.split(']').next()) {
                assert!(
                    ["$__rate_interval", "$__range"].contains(&range),
                    "{}: {}",
                    text(&query.panel["title"]),
                    query.expr
                );
                assert!(
                    range != "$__range" || query.target["instant"] == true,
                    "{} for each point",
                    query.expr
                );
            }
        }
    }
}

#[test]
fn the_checks_detect_errors() {
    for (promql, problem) in [
        (
            "sum by (job) (rate(rustok_http_requests_total[1m])",
            "unclosed left parenthesis",
        ),
        (
            "sum by (job) (rate(rustok_http_sent_total[1m]))",
            "no metric rustok_http_sent_total",
        ),
        (
            "sum by (tenant_id) (rate(rustok_http_requests_total[1m]))",
            "no label `tenant_id` in",
        ),
        (
            "sum by (job) (rate(rustok_http_requests_total{code=\"500\"}[1m]))",
            "no label `code` of",
        ),
        (
            "sum by (job) (rate(rustok_cache_size[1m]))",
            "rustok_cache_size, of type gauge, has a rate",
        ),
        (
            "sum by (job) (rustok_http_requests_total)",
            "of type counter, lacks a rate",
        ),
        (
            "sum by (job) (rate(rustok_http_requests_total[30s]))",
            "less than four scrapes",
        ),
        (
            "histogram_quantile(0.9, sum by (job) (rate(rustok_span_duration_seconds_bucket[1m])))",
            "is no aggregation that keeps `le`",
        ),
        (
            "histogram_quantile(0.9, rate(rustok_span_duration_seconds_bucket[1m]))",
            "is no aggregation that keeps `le`",
        ),
        (
            "rate(rustok_http_requests_total{status=\"500\"}[1m]) / rate(rustok_http_requests_total[1m])",
            "divides what is not aggregated",
        ),
    ] {
        let problems = problems(promql);
        assert!(
            problems.iter().any(|found| found.contains(problem)),
            "{promql}: {problems:?}"
        );
    }
}

#[test]
fn the_third_party_list_has_no_unused_metrics() {
    let files = all();
    for metric in THIRD_PARTY {
        assert!(
            matches!(metric.kind, Kind::Counter | Kind::Gauge | Kind::Histogram),
            "{}",
            metric.name
        );
        let used = files
            .iter()
            .any(|file| file.json.to_string().contains(metric.name));
        assert!(used, "{}", metric.name);
    }
}
