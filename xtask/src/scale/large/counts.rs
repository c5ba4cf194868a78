//! Whether the stores have what the services counted.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::{Large, Programs};
use crate::progress::Reporter;
use crate::scale::service::{INTERVAL, JOB};
use crate::scale::{Error, eventually};
use crate::stack::query::prometheus_query_at;

/// How long each service sends requests to itself.
const TRAFFIC: Duration = Duration::from_secs(30);
/// Time for a service to end after that.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// The sum of all series of a counter, by its name.
type Totals = BTreeMap<String, f64>;

/// What the services counted, and what the stores have.
#[derive(Debug, Clone)]
pub struct Counts {
    /// Counters that each service wrote when it ended.
    counters: [Totals; 2],
    /// The same in Thanos.
    stored: [Totals; 2],
    /// Spans that the services and their inventories created.
    pub spans: u64,
    /// Spans in Cassandra.
    pub spans_stored: u64,
}

impl Counts {
    /// Returns how many counters were compared.
    pub fn compared(&self) -> usize {
        self.counters.iter().map(BTreeMap::len).sum()
    }

    /// Returns the requests that the services counted.
    pub fn requests(&self) -> f64 {
        let requests = |totals: &Totals| totals.get(REQUESTS).copied();
        self.counters.iter().filter_map(requests).sum()
    }

    /// Returns what is wrong.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for ((own, stored), service) in self.counters.iter().zip(&self.stored).zip(SERVICES) {
            for (name, value) in own {
                let found = stored.get(name).copied().unwrap_or_default();
                if found != *value {
                    problems.push(format!("{service}: {name} is {value}, in Thanos {found}"));
                }
            }
        }
        let has_requests = |totals: &Totals| totals.contains_key(REQUESTS);
        if !self.counters.iter().all(has_requests) {
            problems.push("a service counted no request".to_owned());
        }
        let (spans, stored) = (self.spans, self.spans_stored);
        if spans != stored {
            problems.push(format!(
                "{spans} spans were created, {stored} are in Cassandra"
            ));
        }
        problems
    }
}

/// Lets the services handle requests until they end by themselves, and compares. Every trace has to be kept.
pub fn run(
    large: &mut Large,
    programs: &Programs,
    reporter: &mut Reporter,
) -> Result<Counts, Error> {
    let seconds = TRAFFIC.as_secs();
    let before = large.storage.spans()?;
    large.start_services(programs, (NAME, SERVICES.len()), INTERVAL, |folder| {
        vec![
            format!("--traffic-seconds={seconds}"),
            format!("--metrics-on-exit={}", folder.join(METRICS).display()),
        ]
    })?;
    reporter.note(&format!("two services handle requests for {seconds} s"));
    sleep(TRAFFIC);
    for mut service in large.services.drain(..) {
        let status = eventually(ENDS_WITHIN, || {
            service
                .process
                .ended()?
                .ok_or("the service does not end".into())
        })?;
        if !status.success() {
            return Err(format!("the service ended with {status}").into());
        }
    }
    large.settled()?;
    let mut counters = [Totals::new(), Totals::new()];
    for (totals, service) in counters.iter_mut().zip(SERVICES) {
        *totals = totals_in(&fs::read_to_string(
            programs.services().join(service).join(METRICS),
        )?);
    }
    let read = || -> Result<Counts, Error> {
        let [first, second] = SERVICES;
        let created = "sum(rustok_spans_created_total)";
        let spans = prometheus_query_at(&large.thanos.store.url, created)?;
        Ok(Counts {
            counters: counters.clone(),
            stored: [totals_of(large, first)?, totals_of(large, second)?],
            spans: spans.first().map_or(0, |sample| sample.value as u64),
            spans_stored: large.storage.spans()? - before,
        })
    };
    // What differs after this is what the caller reports.
    let arrived = eventually(Duration::from_secs(30), || {
        let counts = read()?;
        match counts.problems() {
            problems if problems.is_empty() => Ok(counts),
            problems => Err(problems.join("; ").into()),
        }
    });
    arrived.or_else(|_| read())
}

/// The `service.instance.id` of each service.
const SERVICES: [&str; 2] = ["counts-0", "counts-1"];
const NAME: &str = "counts";
const REQUESTS: &str = "rustok_http_requests_total";
const METRICS: &str = "metrics.txt";

/// Returns the counters of a text in Prometheus' format.
fn totals_in(text: &str) -> Totals {
    let mut totals = Totals::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let name = series.split('{').next().unwrap_or_default();
        if is_compared(name)
            && let Ok(value) = value.parse::<f64>()
        {
            *totals.entry(name.to_owned()).or_default() += value;
        }
    }
    totals
}

/// Returns the counters of a service in Thanos.
fn totals_of(large: &Large, instance: &str) -> Result<Totals, Error> {
    let promql = format!(
        "sum by (__name__) ({{__name__=~\"rustok_.+_total\", job=\"{JOB}\", instance=\"{instance}\"}})"
    );
    let samples = prometheus_query_at(&large.thanos.store.url, &promql)?.into_iter();
    let samples = samples.map(|sample| (sample.label("__name__").to_owned(), sample.value));
    Ok(samples.filter(|(name, _)| is_compared(name)).collect())
}

/// Returns whether a metric is a counter that does not change any more when the service writes it. Those of the SDK do,
/// since the last export counts itself, and those of the runtime.
fn is_compared(name: &str) -> bool {
    let goes_on = ["rustok_telemetry_", "rustok_tokio_"];
    name.starts_with("rustok_")
        && name.ends_with("_total")
        && !goes_on.iter().any(|prefix| name.starts_with(prefix))
}
