//! Requests by the clock, on connections that are kept.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use crate::client::{Connection, get};

/// Connections of one service, each with a thread.
const CONNECTIONS: usize = 8;

/// The route of all requests.
pub(super) const ROUTE: &str = "/products/{id}";

#[derive(Debug)]
pub(super) struct Load {
    connections: Vec<Connection>,
    per_second: usize,
    sent: u64,
}

impl Load {
    pub(super) fn new(address: SocketAddr, per_second: usize) -> Self {
        let connections = (0..CONNECTIONS).map(|_| Connection::open(address));
        Self {
            connections: connections.collect(),
            per_second,
            sent: 0,
        }
    }

    /// Sends requests for so long. Returns the latency of each.
    pub(super) fn run(&mut self, time: Duration) -> Vec<Duration> {
        let each = (self.per_second as f64 * time.as_secs_f64()) as usize / CONNECTIONS;
        self.sent += (each * CONNECTIONS) as u64;
        let (start, between) = (Instant::now(), time / each as u32);
        thread::scope(|scope| {
            let connections = self.connections.iter_mut().enumerate();
            let running: Vec<_> = connections
                .map(|(place, connection)| {
                    let first = start + between * place as u32 / CONNECTIONS as u32;
                    scope.spawn(move || by_the_clock(connection, first, between, each))
                })
                .collect();
            running
                .into_iter()
                .flat_map(|thread| thread.join().expect("all answers are good"))
                .collect()
        })
    }

    /// How many were sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }
}

fn by_the_clock(
    connection: &mut Connection,
    first: Instant,
    between: Duration,
    count: usize,
) -> Vec<Duration> {
    let request = get("/products/17");
    let mut answered = first;
    (0..count as u32)
        .map(|number| {
            let due = first + between * number;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            // A request that waits for the answer before it is late because of the service; one that is late because
            // this thread woke up late is not.
            let since = if answered > due { due } else { Instant::now() };
            assert_eq!(connection.ask(&request).status, 200);
            answered = Instant::now();
            answered - since
        })
        .collect()
}
