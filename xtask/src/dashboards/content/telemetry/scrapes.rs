//! Prometheus' metrics about its scrapes and rules.

use super::{APPLICATIONS, EXPORTS};
use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit, Word};
use crate::dashboards::query::{Expr, Match, Range, Scope};

const LABELS: [&str; 2] = ["job", "instance"];

pub(super) fn panels() -> [Panel; 7] {
    let worst = |gauge| Scope::all().gauge(gauge).value().max_by(LABELS);
    [
        Panel::new(
            14,
            "Targets",
            Look::Stat,
            Unit::Count,
            "Whether Prometheus can scrape each target. If a target is down, check whether the program runs, and \
             whether its address in prometheus/targets is right. While the Collector is down, the metrics of all \
             services stop.",
        )
        .query(
            "{{job}} {{instance}}",
            Scope::all().gauge("up").value().min_by(LABELS),
        )
        .words(&[
            Word {
                value: 0,
                text: "down",
                colour: "red",
            },
            Word {
                value: 1,
                text: "up",
                colour: "green",
            },
        ])
        .watched_by("ServiceDown")
        .watched_by("CollectorDown")
        .watched_by("TargetDown")
        .size(24, 5),
        Panel::new(
            15,
            "Scrape duration",
            Look::TimeSeries,
            Unit::Seconds,
            "Duration of each scrape. After 10 s Prometheus drops its samples: find the metric with the most series, \
             and lower its label budgets.",
        )
        .query("{{job}} {{instance}}", worst("scrape_duration_seconds"))
        .steps(&[(None, "green"), (Some(5.0), "yellow"), (Some(10.0), "red")]),
        Panel::new(
            16,
            "Samples scraped",
            Look::TimeSeries,
            Unit::Count,
            "Samples of each scrape. A jump is a new metric, or a label with many values: see the folded labels above.",
        )
        .query("{{job}} {{instance}}", worst("scrape_samples_scraped")),
        Panel::new(
            17,
            "Targets by job",
            Look::BarGauge,
            Unit::Count,
            "Number of targets of each job, up or down. A job of prometheus.yml that is missing here has no target, \
             and no alert on it can fire: check its file in prometheus/targets.",
        )
        .query(
            "{{job}}",
            Scope::all().gauge("up").value().count_by(["job"]),
        )
        // The alert fires for a missing series, so it has no threshold to draw.
        .leads_to("TargetMissing"),
        Panel::new(
            18,
            "Instances that respond and that push",
            Look::TimeSeries,
            Unit::Count,
            "Number of instances of a service that respond to Prometheus, and number of instances whose pushed metrics \
             arrive. If fewer push than respond, check whether the exports above fail, and whether the Collector is \
             up. If none push, alerts on the service cannot fire.",
        )
        .query("respond {{job}}", responding())
        .query("push {{job}}", pushing())
        // The alert fires for instances that respond while none push, so it has no threshold to draw.
        .leads_to("ServiceMetricsMissing"),
        Panel::new(
            19,
            "Failed rule evaluations",
            Look::TimeSeries,
            Unit::PerSecond,
            "Failed evaluations per second, by rule group. While they fail, alerts of the group cannot fire: \
             Prometheus' page \"Rule health\" shows the error of each rule.",
        )
        .query(
            "{{rule_group}} {{instance}}",
            Scope::all()
                .counter("prometheus_rule_evaluation_failures_total")
                .rate(Range::Rate)
                .sum_by(["job", "instance", "rule_group"]),
        )
        .watched_by("PrometheusRuleFailures"),
        Panel::new(
            20,
            "Firing alerts",
            Look::TimeSeries,
            Unit::Count,
            "Number of label sets for which each alert fires. The runbook has a section for each alert. Watchdog always \
             fires: if it is missing, Prometheus evaluates no alerts.",
        )
        .query(
            "{{alertname}}",
            Scope::all()
                .gauge("ALERTS")
                .with("alertstate", Match::Is("firing"))
                .value()
                .count_by(["alertname"]),
        )
        .stacked()
        // The alert always fires.
        .leads_to("Watchdog"),
    ]
    .map(|panel| panel.traces(Traces::None))
}

/// Jobs of services: all jobs that are not part of the stack, as in the alerts.
const SERVICES: Match<'_> = Match::Unlike("otel-collector.*|jaeger|prometheus");

fn responding() -> Expr {
    let up = Scope::all().gauge("up").with("job", SERVICES);
    up.value().sum_by(["job"])
}

/// Every service that pushes metrics has this counter.
fn pushing() -> Expr {
    let exports = APPLICATIONS.counter(EXPORTS).rate(Range::Rate);
    exports.sum_by(LABELS).count_by(["job"])
}
