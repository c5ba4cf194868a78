//! What telemetry costs a whole service: `rustok-server` as a process, asked for one product over HTTP, again and again.
//!
//! The same program runs three times, each with a database of its own: telemetry off (`OTEL_SDK_DISABLED`), with a tenth of
//! the traces sampled, and with all of them. Those with telemetry have the settings that a service has by default, and
//! send spans and metrics by OTLP to a receiver in this process, which decodes no more of them than it counts. `RUST_LOG`
//! is `warn` for all three: there are no lines about single requests, so none is paid for.
//!
//! A request is four spans: the HTTP server's, `tenants.find` (a hit of the cache), `catalogue.get` and the query
//! `SELECT products`, whose page SQLite has in memory.
//!
//! The clients are few threads with a connection each that is kept, and they share the machine with the server. So
//! requests a second tell what is left of the whole machine, the server's processor time for each request what the
//! telemetry costs, the thread that exports included. Rounds alternate between the processes, and a ratio is the median
//! over the rounds of the ratios within each: a neighbour that disturbs the machine for a while disturbs all three.

mod load;
mod server;

use std::time::Duration;

use self::{
    load::{Load, Round},
    server::{Sampling, Server},
};
use crate::{
    rounds::{Effort, median_of},
    table::Table,
};

/// Measures all three, and prints a table.
pub(crate) fn report(effort: Effort) {
    let mut services: Vec<_> = Sampling::ALL
        .iter()
        .map(|sampling| Service::start(*sampling))
        .collect();
    let requests = (effort.records / 16).max(256);
    for round in 0..effort.rounds {
        // The order alternates, so that no contender always follows the same one.
        for place in 0..services.len() {
            let next = (place + round) % Sampling::ALL.len();
            services[next].round(requests);
        }
    }
    let mut table = Table::new(
        format!(
            "`GET` of one product, {} connections (requests a second and processor time: median of the rounds; \
             ratios: median of the rounds' own)",
            load::CONNECTIONS
        ),
        services.iter().map(Service::name).collect(),
    );
    let column = |figure: fn(&Round) -> f64| services.iter().map(move |one| one.median(figure));
    let ratios = |figure: fn(&Round) -> f64| {
        let off = &services[0];
        services
            .iter()
            .map(move |one| format!("{:.3}", one.median_ratio(off, figure)))
    };
    let per_second = column(Round::per_second).map(|figure| format!("{figure:.0}"));
    table.column("requests a second", per_second.collect());
    table.column("to off", ratios(Round::per_second).collect());
    let microseconds = column(Round::microseconds).map(|figure| format!("{figure:.1}"));
    table.column(
        "µs of the server's processors a request",
        microseconds.collect(),
    );
    table.column("to off", ratios(Round::microseconds).collect());
    let lost = services.into_iter().map(Service::end);
    table.column(
        "spans lost",
        lost.map(|share| format!("{:.1} %", share * 100.0))
            .collect(),
    );
    table.print();
}

/// One of the three, and how it did.
struct Service {
    server: Server,
    load: Load,
    rounds: Vec<Round>,
}

impl Service {
    /// Starts it. Its product is there, and its tenant is cached.
    fn start(sampling: Sampling) -> Self {
        let server = Server::start(sampling);
        let load = Load::prepare(server.address());
        Self {
            server,
            load,
            rounds: Vec::new(),
        }
    }

    fn name(&self) -> &'static str {
        self.server.sampling().name()
    }

    fn round(&mut self, requests: usize) {
        // The caches are somebody else's after a while.
        self.load.run(requests / 16);
        std::thread::sleep(PAUSE);
        let before = self.server.processor_time();
        let time = self.load.run(requests);
        // What waits to be sent belongs to the round. A batch that is not full waits longer, for the next round.
        std::thread::sleep(PAUSE);
        self.rounds.push(Round {
            requests,
            time,
            processor: self.server.processor_time() - before,
        });
    }

    fn median(&self, figure: fn(&Round) -> f64) -> f64 {
        median_of(self.rounds.iter().map(figure).collect())
    }

    fn median_ratio(&self, to: &Self, figure: fn(&Round) -> f64) -> f64 {
        let pairs = self.rounds.iter().zip(&to.rounds);
        median_of(pairs.map(|(own, to)| figure(own) / figure(to)).collect())
    }

    /// Has everything checked, and ends the process. Returns the share of sampled spans that were lost.
    fn end(self) -> f64 {
        self.server.check_and_end(self.load.sent())
    }
}

/// So long the server has to come to rest before and after a round.
const PAUSE: Duration = Duration::from_millis(50);
