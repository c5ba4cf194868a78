//! What Prometheus notes about its scrapes and its rules.

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
            "Whether Prometheus reaches each target. Down: see whether the program runs, and whether its address is \
             in prometheus/targets. The Collector down: every application seems to stand still.",
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
            "How long each scrape takes. Past the limit of 10 s its samples are lost: find out which metric has so \
             many series, and lower its budgets.",
        )
        .query("{{job}} {{instance}}", worst("scrape_duration_seconds"))
        .steps(&[(None, "green"), (Some(5.0), "yellow"), (Some(10.0), "red")]),
        Panel::new(
            16,
            "Samples scraped",
            Look::TimeSeries,
            Unit::Count,
            "Series that each scrape brings. A jump is a new metric or a label with many values: see which labels are \
             folded above.",
        )
        .query("{{job}} {{instance}}", worst("scrape_samples_scraped")),
        Panel::new(
            17,
            "Targets by job",
            Look::BarGauge,
            Unit::Count,
            "How many targets Prometheus knows of each job, whether they answer or not. A job of prometheus.yml that is \
             not here has no target, and no alert on it can fire: see its file in prometheus/targets.",
        )
        .query(
            "{{job}}",
            Scope::all().gauge("up").value().count_by(["job"]),
        )
        // It fires for what is not here.
        .leads_to("TargetMissing"),
        Panel::new(
            18,
            "Instances that answer and that push",
            Look::TimeSeries,
            Unit::Count,
            "How many instances of a service answer Prometheus, and of how many pushed metrics arrive. Fewer push than \
             answer: see whether the exports above fail, and whether the Collector is up. None push: its alerts cannot \
             fire.",
        )
        .query("answer {{job}}", answering())
        .query("push {{job}}", pushing())
        // It fires when there is one of the two, and none of the other.
        .leads_to("ServiceMetricsMissing"),
        Panel::new(
            19,
            "Rule evaluations that fail",
            Look::TimeSeries,
            Unit::PerSecond,
            "Failed evaluations in a second, by group of rules. While they fail, the group's alerts cannot fire: \
             Prometheus' page of rules says what is wrong with each.",
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
            "Alerts that fire",
            Look::TimeSeries,
            Unit::Count,
            "How many label sets each alert fires for; what to do is in the runbook, under the alert's name. Watchdog \
             always fires: without it Prometheus evaluates no alerts.",
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
        // It fires as long as all is well.
        .leads_to("Watchdog"),
    ]
    .map(|panel| panel.traces(Traces::None))
}

/// A scraped target that is no part of the stack is a service, as for the alerts.
const SERVICES: Match<'_> = Match::Unlike("otel-collector.*|jaeger|prometheus");

fn answering() -> Expr {
    let up = Scope::all().gauge("up").with("job", SERVICES);
    up.value().sum_by(["job"])
}

/// Whatever a service does, it exports.
fn pushing() -> Expr {
    let exports = APPLICATIONS.counter(EXPORTS).rate(Range::Rate);
    exports.sum_by(LABELS).count_by(["job"])
}
