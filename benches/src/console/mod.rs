//! What the console costs a service: the same small service with the console off, with the console on, and with pages
//! that are open in addition.
//!
//! Each variant is a process of its own with 10,000 series. A request is two spans, both of them recorded and exported,
//! and a log line. The load is open: requests are sent by the clock, 2,000 a second, whether or not earlier ones have
//! been answered late. In the service, a thread makes 16 records every millisecond, and times them. Most of the series
//! change between two samples of the console.
//!
//! Rounds alternate between the processes, and a ratio is the median over the rounds of the ratios within each.
//!
//! There is no row for a build without the feature `console`: until `Builder::console` is called, the feature adds no
//! span processor, no sampler, no log processor and no thread. It is only a route.

mod load;
mod pages;
mod service;

use std::{thread, time::Duration};

pub(crate) use self::service::serve;
use self::{
    load::{Load, ROUTE},
    pages::Pages,
    service::{Round, Service},
};
use crate::{
    client::{Connection, get},
    rounds::{Effort, median_of, quantile},
    table::Table,
};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Plan {
    rounds: usize,
    time: Duration,
    warm_up: Duration,
    per_second: usize,
}

impl Plan {
    fn of(effort: Effort) -> Self {
        match effort.is_quick() {
            true => Self {
                rounds: 1,
                time: Duration::from_secs(3),
                warm_up: Duration::from_millis(500),
                per_second: 500,
            },
            false => Self {
                rounds: 9,
                time: Duration::from_secs(10),
                warm_up: Duration::from_secs(1),
                per_second: 2000,
            },
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    Off,
    On,
    Pages,
}

/// Pages that are open at once.
const PAGES: usize = 3;

/// Time between two samples of the console.
const TICK: Duration = Duration::from_secs(2);

/// Measures all variants, and prints a table. `rounds` replaces the number of rounds and their seconds.
pub(crate) fn report(effort: Effort, rounds: Option<&[u64]>) {
    let mut plan = Plan::of(effort);
    if let Some(&[rounds, seconds]) = rounds {
        plan.rounds = usize::try_from(rounds).expect("a number of rounds");
        plan.time = Duration::from_secs(seconds);
    }
    let variants = [Variant::Off, Variant::On, Variant::Pages];
    let mut contenders = variants.map(|variant| Contender::start(variant, plan));
    for round in 0..plan.rounds {
        // The order alternates, so that no contender always follows the same one.
        for place in 0..contenders.len() {
            contenders[(place + round) % variants.len()].round();
        }
    }
    let held = contenders.each_mut().map(Contender::check);
    let rounds = contenders.each_ref().map(|one| &one.rounds[..]);
    table(plan, &variants.map(Variant::name), &rounds, &held).print();
    contenders.into_iter().for_each(Contender::end);
}

fn table(
    plan: Plan,
    names: &[&'static str],
    contenders: &[&[Measured]],
    held: &[Option<Held>],
) -> Table {
    let mut table = Table::new(
        format!(
            "{} requests a second, 10,000 series (rounds: {} of {} s; figures and ratios: medians)",
            plan.per_second,
            plan.rounds,
            plan.time.as_secs()
        ),
        names.to_vec(),
    );
    let off = contenders[0];
    let median = |rounds: &[Measured], figure: fn(&Measured) -> f64| {
        median_of(rounds.iter().map(figure).collect())
    };
    let mut column = |heading: &str, cell: &dyn Fn(&[Measured]) -> String| {
        table.column(
            heading,
            contenders.iter().map(|rounds| cell(rounds)).collect(),
        );
    };
    column("µs of the processors a request", &|rounds| {
        format!("{:.1}", median(rounds, Measured::processor))
    });
    column("to off", &|rounds| {
        let pairs = rounds.iter().zip(off);
        let ratio = median_of(
            pairs
                .map(|(own, off)| own.processor() / off.processor())
                .collect(),
        );
        format!("{:+.1} %", (ratio - 1.0) * 100.0)
    });
    let three = |rounds: &[Measured], figures: [fn(&Measured) -> f64; 3], decimals: usize| {
        let shown = figures.map(|figure| format!("{:.decimals$}", median(rounds, figure)));
        shown.join(" / ")
    };
    column("µs for 16 records: p50 / p99 / p99.9", &|rounds| {
        let figures: [fn(&Measured) -> f64; 3] = [
            |one| one.service.records[0],
            |one| one.service.records[1],
            |one| one.service.records[2],
        ];
        three(rounds, figures, 1)
    });
    column("µs of latency: p50 / p99 / p99.9", &|rounds| {
        let figures: [fn(&Measured) -> f64; 3] = [
            |one| one.latency[0],
            |one| one.latency[1],
            |one| one.latency[2],
        ];
        three(rounds, figures, 0)
    });
    let resident = |rounds: &[Measured]| rounds.last().map_or(0.0, |last| last.service.resident);
    column("MB resident at the end", &|rounds| {
        format!("{:.1}", resident(rounds))
    });
    column("more than off", &|rounds| {
        format!("{:+.1}", resident(rounds) - resident(off))
    });
    let held = held.iter().map(|held| match held {
        Some(Held { used, limit }) => {
            format!("{:.1} of {:.1}", megabytes(*used), megabytes(*limit))
        }
        None => "–".to_owned(),
    });
    table.column("MB that the console reports, and its limit", held.collect());
    table
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// A round, as it was seen from outside and inside.
#[derive(Debug)]
struct Measured {
    requests: usize,
    /// Microseconds: p50, p99, p99.9.
    latency: [f64; 3],
    service: Round,
}

impl Measured {
    /// Microseconds of the processors a request.
    fn processor(&self) -> f64 {
        self.service.processor.as_secs_f64() * 1e6 / self.requests as f64
    }
}

/// Bytes that the console reports.
#[derive(Debug)]
struct Held {
    used: u64,
    limit: u64,
}

struct Contender {
    variant: Variant,
    plan: Plan,
    service: Service,
    load: Load,
    /// Ticks that the page with the fewest has received.
    ticks: u64,
    rounds: Vec<Measured>,
}

impl Variant {
    fn name(self) -> &'static str {
        match self {
            Self::Off => "**rustok-telemetry**, console off",
            Self::On => "**rustok-telemetry**, console on, no page",
            Self::Pages => "**rustok-telemetry**, console on, three pages",
        }
    }
}

impl Contender {
    fn start(variant: Variant, plan: Plan) -> Self {
        let service = Service::start(variant != Variant::Off);
        Self {
            variant,
            plan,
            load: Load::new(service.address(), plan.per_second),
            service,
            ticks: 0,
            rounds: Vec::new(),
        }
    }

    fn round(&mut self) {
        let pages =
            (self.variant == Variant::Pages).then(|| Pages::open(self.service.address(), PAGES));
        self.load.run(self.plan.warm_up);
        self.service.begin();
        let latencies = self.load.run(self.plan.time);
        let service = self.service.end_round();
        if let Some(pages) = pages {
            self.ticks += pages.close();
        }
        self.rounds.push(Measured {
            requests: latencies.len(),
            latency: [500, 990, 999]
                .map(|per_mille| quantile(&latencies, per_mille).as_secs_f64() * 1e6),
            service,
        });
    }

    /// Asserts that every request was served and counted, and is in the console; and that the pages received ticks.
    fn check(&mut self) -> Option<Held> {
        let sent = self.load.sent();
        assert_eq!(self.service.served(), sent, "served");
        let mut connection = Connection::open(self.service.address());
        assert_eq!(self.service.counted(&mut connection), sent, "counted");
        if self.variant == Variant::Off {
            let page = connection.ask(&get("/api/_health/console"));
            assert_eq!(page.status, 404, "{}", page.text());
            return None;
        }
        thread::sleep(TICK + TICK / 2);
        let console = "/api/_health/console/api";
        let requests = format!("{console}/series?metric=rustok_http_requests_total&by=path");
        let requests = connection.ask(&get(&requests)).json();
        let series = &requests["metrics"]["rustok_http_requests_total"]["series"];
        let route = series.as_array().into_iter().flatten();
        let route = route.filter(|one| one["labels"]["path"] == ROUTE);
        let shown: u64 = route
            .filter_map(|one| one["values"].as_array()?.last()?.as_u64())
            .sum();
        assert_eq!(shown, sent, "requests in the console: {requests}");
        let state = connection.ask(&get(&format!("{console}/state"))).json();
        assert_eq!(state["not_kept"]["series"], 0, "{state}");
        let number = |text: &str| state.pointer(text).and_then(|value| value.as_u64());
        assert!(number("/kept/series") >= Some(10_000), "{state}");
        let [used, limit] =
            ["/memory/used", "/memory/limit"].map(|text| number(text).expect("a number"));
        assert!(0 < used && used <= limit, "{state}");
        if self.variant == Variant::Pages {
            let ticks_of_round = self.plan.time.as_secs() / TICK.as_secs();
            // An event stream ends after five seconds. A page that reconnects just then misses a tick.
            let fewest = self.plan.rounds as u64 * ticks_of_round * 3 / 4;
            assert!(self.ticks >= fewest, "a page received {} ticks", self.ticks);
        }
        Some(Held { used, limit })
    }

    fn end(self) {
        drop(self.load);
        self.service.stop();
    }
}
