//! What is written by some Jaegers is read by others, also after a restart of everything.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Jaegers, Store, cassandra};
use crate::scale::kept::Spans;
use crate::scale::traces::{Kind, SERVICES, SPANS, TENANT, Trace};
use crate::scale::{Error, eventually};
use crate::stack::query;

/// Traces of a tenant, and others.
const OF_TENANT: usize = 100;
const OTHERS: usize = 300;
/// Jaeger's default for JAEGER_RETENTION.
const RETENTION: Duration = Duration::from_secs(168 * 3600);

/// What one query process found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Traces with all spans, by id.
    pub by_id: usize,
    /// Traces with the first service.
    pub by_service: usize,
    /// Traces with the tenant as a tag of the second service.
    pub by_tag: usize,
    /// The services.
    pub services: BTreeSet<String>,
}

/// What was written and read.
#[derive(Debug, Clone)]
pub struct Reads {
    /// Traces that were sent.
    pub sent: Vec<Trace>,
    /// Spans in the store, by its own count.
    pub stored: u64,
    /// The time from the first trace sent to the last span stored.
    pub written_in: Duration,
    /// The time of these queries.
    pub read_in: Duration,
    /// What each query process found.
    pub found: [Found; 2],
    /// The time until the servers were ready after the restart.
    pub servers_ready: Duration,
    /// Spans in the store after the restart.
    pub stored_after: u64,
    /// What each query process found after the restart.
    pub found_after: [Found; 2],
}

impl Reads {
    /// Returns what is wrong.
    pub fn problems(&self) -> Vec<String> {
        let expected = Found {
            by_id: self.sent.len(),
            by_service: self.sent.len(),
            by_tag: OF_TENANT,
            services: SERVICES.map(str::to_owned).into(),
        };
        let spans = (SPANS * self.sent.len()) as u64;
        let mut problems = Vec::new();
        for (time, stored, found) in [
            ("", self.stored, &self.found),
            (" after the restart", self.stored_after, &self.found_after),
        ] {
            if stored != spans {
                problems.push(format!("{stored} of {spans} spans are stored{time}"));
            }
            let wrong = found.iter().filter(|found| **found != expected);
            problems.extend(wrong.map(|found| format!("a query process found{time}: {found:?}")));
        }
        problems
    }
}

/// Sends traces, reads them by every query process, restarts everything, and reads them again.
pub fn run(jaegers: &mut Jaegers, random: &mut fastrand::Rng) -> Result<Reads, Error> {
    let mut sent = Trace::many(Kind::Tenant, OF_TENANT, random);
    sent.extend(Trace::many(Kind::Rest, OTHERS, random));
    random.shuffle(&mut sent);
    let started = Instant::now();
    jaegers.send(&sent)?;
    let expected = (SPANS * sent.len()) as u64;
    let stored = eventually(Duration::from_secs(600), || {
        match jaegers.storage.spans()? {
            stored if stored >= expected => Ok(stored),
            stored => Err(format!("{stored} of {expected} spans are stored").into()),
        }
    })?;
    let written_in = started.elapsed();
    if jaegers.storage.store == Store::Cassandra {
        let retention = cassandra::retention(&jaegers.storage.servers)?;
        if retention != RETENTION.as_secs() {
            return Err(format!("Cassandra keeps spans for {retention} s").into());
        }
    }
    let started = Instant::now();
    let found = found(jaegers, &sent)?;
    let read_in = started.elapsed();
    let servers_ready = jaegers.restart()?;
    Ok(Reads {
        stored,
        written_in,
        read_in,
        found,
        servers_ready,
        stored_after: jaegers.storage.spans()?,
        found_after: self::found(jaegers, &sent)?,
        sent,
    })
}

/// Reads traces by id from the Jaeger at `url`.
pub(in crate::scale) fn by_id(url: &str, traces: &[Trace]) -> Result<Spans, Error> {
    let mut spans = Spans::default();
    for trace in traces {
        if let Some(found) = query::jaeger_trace_at(url, &trace.hex())? {
            spans.add_all(&found);
        }
    }
    Ok(spans)
}

fn found(jaegers: &Jaegers, sent: &[Trace]) -> Result<[Found; 2], Error> {
    let of = |reader| -> Result<Found, Error> {
        let url = &jaegers.storage.read_url(reader);
        let spans = by_id(url, sent)?;
        let limit = (2 * sent.len()).to_string();
        let tags = format!("{{\"tenant_id\":\"{TENANT}\"}}");
        let count = |service, conditions: &[(&str, &str)]| {
            let traces = query::jaeger_search_at::<Value>(url, service, conditions)?;
            let ids: BTreeSet<_> = traces
                .iter()
                .map(|trace| trace["traceID"].as_str())
                .collect();
            Ok::<_, Error>(ids.len())
        };
        Ok(Found {
            by_id: sent.iter().filter(|trace| spans.has_all_of(trace)).count(),
            by_service: count(SERVICES[0], &[("limit", &limit)])?,
            by_tag: count(SERVICES[1], &[("limit", &limit), ("tags", &tags)])?,
            services: query::jaeger_services_at(url)?.into_iter().collect(),
        })
    };
    Ok([of(0)?, of(1)?])
}

impl fmt::Display for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} traces sent, {} spans stored in {:.1} s; {} queries took {:.1} s",
            self.sent.len(),
            self.stored,
            self.written_in.as_secs_f64(),
            2 * (self.sent.len() + 3),
            self.read_in.as_secs_f64(),
        )?;
        for (number, found) in self.found.iter().enumerate() {
            let (id, service, tag) = (found.by_id, found.by_service, found.by_tag);
            writeln!(
                f,
                "query process {number}: {id} by id, {service} by service, {tag} by tag"
            )?;
        }
        writeln!(
            f,
            "everything killed and started again: servers ready in {:.1} s, {} spans stored, by id {:?}",
            self.servers_ready.as_secs_f64(),
            self.stored_after,
            self.found_after.each_ref().map(|found| found.by_id),
        )
    }
}
