//! Pages that are open: each asks for what the view Overview asks for.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use crate::client::{Connection, get};

/// What `assets/overview.js` asks for: series, of which later requests ask for newer samples only.
const SERIES: [&str; 6] = [
    "metric=rustok_http_requests_total&by=status",
    "metric=rustok_http_request_duration_seconds&metric=rustok_http_active_connections&by=",
    "metric=rustok_http_requests_total&by=method&by=path&by=status",
    "metric=rustok_http_request_duration_seconds&by=method&by=path",
    "metric=rustok_circuit_breaker_state&by=service",
    "metric=rustok_telemetry_spans_lost_total&metric=rustok_telemetry_log_records_lost_total\
     &metric=rustok_telemetry_records_lost_total&by=reason",
];
const OTHERS: [&str; 2] = ["telemetry", "traces?status=error&limit=8"];

pub(super) struct Pages {
    closed: Arc<AtomicBool>,
    running: Vec<JoinHandle<u64>>,
}

impl Pages {
    /// Opens so many pages, and returns when all show something.
    pub(super) fn open(address: SocketAddr, count: usize) -> Self {
        let closed = Arc::<AtomicBool>::default();
        let pages = (0..count).map(|_| {
            let (mut page, closed) = (Page::new(address), Arc::clone(&closed));
            page.load();
            thread::spawn(move || page.follow(&closed))
        });
        Self {
            running: pages.collect(),
            closed,
        }
    }

    /// Returns the ticks of the page with the fewest. A page closes when its stream of events ends, which takes seconds.
    pub(super) fn close(self) -> u64 {
        self.closed.store(true, Ordering::Relaxed);
        let ticks = self.running.into_iter();
        let ticks = ticks.map(|page| page.join().expect("all answers are good"));
        ticks.min().expect("there are pages")
    }
}

struct Page {
    address: SocketAddr,
    connections: Vec<Connection>,
    /// The last sample of each query.
    since: [u64; SERIES.len()],
}

impl Page {
    fn new(address: SocketAddr) -> Self {
        let connections = (0..SERIES.len() + OTHERS.len()).map(|_| Connection::open(address));
        Self {
            address,
            connections: connections.collect(),
            since: [0; SERIES.len()],
        }
    }

    /// Looks again after each tick, as `assets/store.js` does. Returns the number of ticks.
    fn follow(mut self, closed: &AtomicBool) -> u64 {
        let mut ticks = 0;
        while !closed.load(Ordering::Relaxed) {
            let state = self.connections[0].ask(&console("state"));
            assert_eq!(state.status, 200, "{}", state.text());
            self.load();
            let mut events = Connection::open(self.address);
            events.send(&console("events"));
            for line in BufReader::new(events.into_stream()).lines() {
                match line.expect("text").as_str() {
                    "event: tick" => {
                        ticks += 1;
                        self.load();
                    }
                    // The length of the last chunk.
                    "0" => break,
                    _ => {}
                }
            }
        }
        ticks
    }

    /// Asks for everything at once, as a browser does.
    fn load(&mut self) {
        let series = SERIES.iter().zip(self.since);
        let series = series.map(|(query, since)| format!("series?{query}&since={since}"));
        let paths = series.chain(OTHERS.map(str::to_owned));
        for (connection, path) in self.connections.iter_mut().zip(paths) {
            connection.send(&console(&path));
        }
        for (number, connection) in self.connections.iter_mut().enumerate() {
            let answer = connection.receive();
            assert_eq!(answer.status, 200, "{}", answer.text());
            if let Some(since) = self.since.get_mut(number) {
                *since = last_tick(answer.text()).unwrap_or(*since);
            }
        }
    }
}

fn console(path: &str) -> Vec<u8> {
    get(&format!("/api/_health/console/api/{path}"))
}

/// The last number of `{"ticks":[…],…`, if there is one.
fn last_tick(series: &str) -> Option<u64> {
    let (ticks, _) = series.split_once(']')?;
    let (_, last) = ticks.rsplit_once([',', '['])?;
    last.parse().ok()
}
