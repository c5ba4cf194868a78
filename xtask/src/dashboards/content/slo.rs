//! The service level objectives: how much of the error budget is left, and how fast it goes.
//!
//! The queries need no recording rules, so the dashboard also works where no rules are loaded.

use super::http::Http;
use crate::dashboards::alert::{
    AVAILABILITY_FAST_BURN, AVAILABILITY_SLOW_BURN, Alert, BURN_RATES, LATENCY_FAST_BURN,
    LATENCY_SLOW_BURN, SLOW_REQUEST_LATENCY,
};
use crate::dashboards::dashboard::{Dashboard, Item};
use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit};
use crate::dashboards::query::{Expr, Range, Scope};
use crate::dashboards::variable::{METRICS, Source, TRACES, Variable, job};

const SCOPE: Scope = Scope::of(&[("job", "job")]);
/// The window of both objectives.
const WINDOW: Range = Range::Window("30d");

/// Share of requests that have to be answered, as the user's guide has it.
const ANSWERED: f64 = 0.999;
/// Share of requests that have to be answered in time: the guide's objective is one for P95.
const IN_TIME: f64 = 0.95;

const AVAILABILITY: Variable = Variable {
    name: "availability_objective",
    title: "Availability objective",
    source: Source::Constant(ANSWERED),
};
const LATENCY: Variable = Variable {
    name: "latency_objective",
    title: "Latency objective",
    source: Source::Constant(IN_TIME),
};

pub(crate) fn dashboard() -> Dashboard {
    let http = Http::new(SCOPE);
    let [
        availability,
        availability_left,
        requests,
        availability_burn,
        spent,
    ] = available(&http);
    let [in_time, in_time_left, slow, latency_burn] = in_time(&http);
    Dashboard {
        path: "grafana/dashboards/rustok-slo.json",
        uid: "rustok-slo",
        title: "RusToK SLO",
        description: "How much of the error budget is left, and how fast it goes. Objectives over 30 days: 99.9 % of \
                      the requests are answered, and 95 % within 500 ms.",
        from: "now-24h",
        refresh: "1m",
        variables: vec![
            METRICS,
            TRACES,
            job("rustok_http_requests_total"),
            AVAILABILITY,
            LATENCY,
        ],
        items: vec![
            Item::Row {
                id: 100,
                title: "Availability: 99.9 % of the requests are answered",
            },
            availability.into(),
            availability_left.into(),
            requests.into(),
            availability_burn.into(),
            spent.into(),
            Item::Row {
                id: 200,
                title: "Latency: 95 % of the requests are answered within 500 ms",
            },
            in_time.into(),
            in_time_left.into(),
            slow.into(),
            latency_burn.into(),
        ],
    }
}

fn available(http: &Http) -> [Panel; 5] {
    let failed = |range| http.error_share(range);
    [
        Panel::new(
            1,
            "Availability over 30 days",
            Look::Stat,
            Unit::Share,
            "Share of the requests of the last 30 days that were answered. What the objective promises is 99.9 %.",
        )
        .query("{{job}}", failed(WINDOW).complement())
        .steps(&[(None, "red"), (Some(ANSWERED), "green")])
        .traces(Traces::Failed)
        .size(8, 5),
        Panel::new(
            2,
            "Availability budget left",
            Look::Stat,
            Unit::Share,
            "What is left of the failures that the objective allows in 30 days. Little left: put off what is risky. \
             None left: work on reliability until there is some again.",
        )
        .query("{{job}}", budget_left(failed(WINDOW), &AVAILABILITY))
        .steps(&BUDGET)
        .traces(Traces::Failed)
        .size(8, 5),
        Panel::new(
            3,
            "Requests over 30 days",
            Look::Stat,
            Unit::Count,
            "What the objectives are measured on. With few requests a single failure is a great share of the budget: \
             do not be alarmed by a burn rate alone then.",
        )
        .query("{{job}}", http.count(WINDOW, ["job"]))
        .size(8, 5),
        burn_rates(
            Panel::new(
                4,
                "Availability burn rate",
                Look::TimeSeries,
                Unit::Times,
                "How many times as fast as allowed the budget goes, over several windows. At 1 it lasts just 30 days; \
                 at 14.4 it is gone in two. Act if a short window and a long one are both over the same line.",
            ),
            &AVAILABILITY,
            failed,
            [AVAILABILITY_SLOW_BURN, AVAILABILITY_FAST_BURN],
        )
        .traces(Traces::Failed),
        Panel::new(
            5,
            "What spends the availability budget",
            Look::BarGauge,
            Unit::Count,
            "The ten endpoints and statuses with the most failures over the time that is shown. Empty: none failed. \
             Start with the longest bar.",
        )
        .query(
            "{{method}} {{path}} {{status}}",
            http.failures(Range::Shown, ["job", "method", "path", "status"])
                .top(10),
        )
        .traces(Traces::Failed),
    ]
}

fn in_time(http: &Http) -> [Panel; 4] {
    let late = |range| {
        http.share_within(SLOW_REQUEST_LATENCY.fires.threshold(), range)
            .complement()
    };
    let in_time = http.share_within(SLOW_REQUEST_LATENCY.fires.threshold(), WINDOW);
    const SLOW: Traces = Traces::Slow("500ms");
    [
        Panel::new(
            6,
            "Answered in time over 30 days",
            Look::Stat,
            Unit::Share,
            "Share of the requests of the last 30 days that took at most 500 ms. What the objective promises is 95 %.",
        )
        .query("{{job}}", in_time)
        .steps(&[(None, "red"), (Some(IN_TIME), "green")])
        .traces(SLOW)
        .size(8, 5),
        Panel::new(
            7,
            "Latency budget left",
            Look::Stat,
            Unit::Share,
            "What is left of the slow requests that the objective allows in 30 days. Little left: make the slowest \
             endpoint faster before adding to it.",
        )
        .query("{{job}}", budget_left(late(WINDOW), &LATENCY))
        .steps(&BUDGET)
        .traces(SLOW)
        .size(8, 5),
        Panel::new(
            8,
            "Slow requests",
            Look::Stat,
            Unit::Share,
            "Share of requests that take longer than 500 ms at present. Allowed over 30 days are 5 %.",
        )
        .query("{{job}}", late(Range::Rate))
        .steps(&[(None, "green"), (Some(0.05), "red")])
        .traces(SLOW)
        .size(8, 5),
        burn_rates(
            Panel::new(
                9,
                "Latency burn rate",
                Look::TimeSeries,
                Unit::Times,
                "How many times as fast as allowed the latency budget goes, over several windows. Act if a short \
                 window and a long one are both over the same line: open the slow traces.",
            ),
            &LATENCY,
            late,
            [LATENCY_SLOW_BURN, LATENCY_FAST_BURN],
        )
        .traces(SLOW)
        .size(24, 8),
    ]
}

const BUDGET: [(Option<f64>, &str); 3] =
    [(None, "red"), (Some(0.0), "orange"), (Some(0.25), "green")];

/// `1` before anything failed, `0` when all that is allowed has, negative beyond.
fn budget_left(bad_share: Expr, objective: &Variable) -> Expr {
    burn_rate(bad_share, objective).complement()
}

fn burn_rate(bad_share: Expr, objective: &Variable) -> Expr {
    bad_share.scaled(&format!("/ (1 - ${})", objective.name))
}

/// Over a short window and the long ones, each with a line from which on it is alarming.
fn burn_rates(
    panel: Panel,
    objective: &Variable,
    bad_share: impl Fn(Range) -> Expr,
    [slow, fast]: [Alert; 2],
) -> Panel {
    let burn = |window| burn_rate(bad_share(Range::Window(window)), objective);
    let [in_an_hour, in_six, in_a_day, at_the_end] = BURN_RATES;
    panel
        .query("5m {{job}}", burn("5m"))
        .query("1h {{job}}", burn("1h"))
        .query("6h {{job}}", burn("6h"))
        .query("1d {{job}}", burn("1d"))
        .query("3d {{job}}", burn("3d"))
        .watched_by(slow)
        .watched_by(fast)
        .steps(&[
            (None, "green"),
            (Some(at_the_end), "yellow"),
            (Some(in_a_day), "orange"),
            (Some(in_six), "semi-dark-red"),
            (Some(in_an_hour), "red"),
        ])
}
