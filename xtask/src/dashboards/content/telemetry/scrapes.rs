//! What Prometheus notes about its scrapes.

use crate::dashboards::alert::{COLLECTOR_DOWN, SERVICE_DOWN, TARGET_DOWN};
use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit, Word};
use crate::dashboards::query::Scope;

const LABELS: [&str; 2] = ["job", "instance"];

pub(super) fn panels() -> [Panel; 3] {
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
        .watched_by(SERVICE_DOWN)
        .watched_by(COLLECTOR_DOWN)
        .watched_by(TARGET_DOWN)
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
    ]
    .map(|panel| panel.traces(Traces::None))
}
