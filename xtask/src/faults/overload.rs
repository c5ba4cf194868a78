//! Ten times the traffic that the exporter can send, beside the same service without an exporter.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::collector::{Collector, Keep};
use super::latency::median;
use super::load::{FullLoad, PATH};
use super::matrix::settled;
use super::proxy::{Layer, Mode, Proxy};
use super::service::{Balance, Service, Settings};
use super::{Error, Programs, Protocol};

/// How much more the service records than the link carries: ten times in the mean, since it has a quarter of each round.
const FACTOR: u64 = 4 * 10;
const CONNECTIONS: usize = 4;
/// In each round, the load lasts so long before it is measured.
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(2);

/// What a run showed.
#[derive(Debug)]
pub struct Overload {
    /// The protocol.
    pub protocol: Protocol,
    /// Rounds with each service.
    pub rounds: usize,
    /// What the link carries, in bytes a second.
    pub link: u64,
    /// Requests a second without an exporter.
    pub requests_a_second: f64,
    /// By how much the throughput differs from that without an exporter: of a second service without one, of one whose
    /// Collector accepts everything, and of the overloaded one.
    pub throughput: [f64; 3],
    /// The same, of the requests in a second of processor time.
    pub processor: [f64; 3],
    /// Spans and log records of the overloaded service.
    pub balances: [Balance; 2],
}

impl Overload {
    /// Returns the promises that do not hold. The throughput is not among them, because it depends on other programs.
    pub fn problems(&self) -> Vec<String> {
        let balances = self.balances.iter();
        let wrong = balances.filter(|balance| !balance.is_exact() || balance.dropped() == 0);
        wrong.map(|balance| format!("{balance:?}")).collect()
    }
}

/// The services, in the order of a round.
const NONE: usize = 0;
const OVERLOADED: usize = 3;

/// Measures in rounds, which alternate between the services.
pub fn run(programs: &Programs, protocol: Protocol, rounds: usize) -> Result<Overload, Error> {
    let folder = programs.folder.join("overload");
    let collector = Collector::start(&programs.collector, &folder, Keep::Metrics)?;
    let proxy = Proxy::start(Layer::Tcp, collector.address(protocol))?;
    let start = |name: &str, exports, address| {
        let settings = Settings {
            exports,
            pinned: true,
            ..Settings::plain(protocol, address)
        };
        Service::start(&programs.service, &settings, &folder.join(name))
    };
    let mut services = [
        start("none.log", false, proxy.address())?,
        start("again.log", false, proxy.address())?,
        start("accepted.log", true, collector.address(protocol))?,
        start("overloaded.log", true, proxy.address())?,
    ];

    // The traffic: requests a second, and bytes of a request's spans and log record.
    let overloaded = &mut services[OVERLOADED];
    let requests = measure(overloaded)?.throughput;
    let exported = overloaded.flush()?.log_records().exported;
    let bytes = proxy.passed() as f64 / exported.max(1) as f64;
    let link = (requests * bytes) as u64 / FACTOR;
    proxy.set(Mode::BytesPerSecond(link.max(1)));

    let mut measured: [Vec<Round>; 4] = Default::default();
    for round in 0..rounds {
        for place in 0..services.len() {
            // Each service has each place in a round.
            let service = (place + round) % services.len();
            measured[service].push(measure(&services[service])?);
        }
    }
    let state = settled(&mut services[OVERLOADED])?;
    let difference = |of: fn(&Round) -> f64| {
        [1, 2, OVERLOADED].map(|service| {
            let rounds = measured[service].iter().zip(&measured[NONE]);
            median(rounds.map(|(one, none)| of(one) / of(none) - 1.0).collect())
        })
    };
    Ok(Overload {
        protocol,
        rounds,
        link,
        requests_a_second: median(measured[NONE].iter().map(|one| one.throughput).collect()),
        throughput: difference(|round| round.throughput),
        processor: difference(|round| round.processor),
        balances: [state.spans(), state.log_records()],
    })
}

/// A service in one round.
struct Round {
    /// Requests a second.
    throughput: f64,
    /// Requests in a second of processor time.
    processor: f64,
}

fn measure(service: &Service) -> Result<Round, Error> {
    let load = FullLoad::start(service.address, PATH, CONNECTIONS);
    sleep(WARM_UP);
    load.stop()?;
    let (started, before) = (Instant::now(), service.processor_time()?);
    let load = FullLoad::start(service.address, PATH, CONNECTIONS);
    sleep(MEASURED);
    let answered = load.stop()? as f64;
    let (took, after) = (started.elapsed(), service.processor_time()?);
    Ok(Round {
        throughput: answered / took.as_secs_f64(),
        processor: answered / (after - before).as_secs_f64(),
    })
}
