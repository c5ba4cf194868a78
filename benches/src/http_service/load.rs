//! Requests for one product, on connections that are kept.

use std::{
    net::SocketAddr,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use crate::client::{Connection, request};

/// Connections of one server, each with a thread that waits for its answer before it asks again.
pub(super) const CONNECTIONS: usize = 8;

/// Where to ask, and for what.
#[derive(Debug)]
pub(super) struct Load {
    connections: Vec<Connection>,
    request: Vec<u8>,
    sent: u64,
}

impl Load {
    /// Adds a product, and reads it once.
    pub(super) fn prepare(address: SocketAddr) -> Self {
        let mut connections: Vec<_> = (0..CONNECTIONS)
            .map(|_| Connection::open(address))
            .collect();
        let product = r#"{"sku": "TEA-1", "name": "Green tea", "price_cents": 450}"#;
        let added = connections[0].ask(&request("POST", "/api/products", product));
        assert_eq!(added.status, 201, "{}", added.text());
        let place = added.header("location").expect("where it is");
        let mut load = Self {
            request: request("GET", place, ""),
            connections,
            sent: 0,
        };
        load.run(CONNECTIONS);
        load
    }

    /// Asks at least so many times, on all connections at once. Returns how long it took.
    pub(super) fn run(&mut self, requests: usize) -> Duration {
        let (start, request) = (&Barrier::new(CONNECTIONS + 1), &self.request);
        let each = requests / CONNECTIONS;
        self.sent += (each * CONNECTIONS) as u64;
        let ask = |connection: &mut Connection| {
            start.wait();
            for _ in 0..each {
                assert_eq!(connection.ask(request).status, 200);
            }
        };
        thread::scope(|scope| {
            let running: Vec<_> = self
                .connections
                .iter_mut()
                .map(|connection| scope.spawn(move || ask(connection)))
                .collect();
            start.wait();
            let started = Instant::now();
            for thread in running {
                thread.join().expect("all answers are good");
            }
            started.elapsed()
        })
    }

    /// How many were sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }
}

/// What one round took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    pub(super) requests: usize,
    pub(super) time: Duration,
    /// The server's, on all processors.
    pub(super) processor: Duration,
}

impl Round {
    pub(super) fn per_second(&self) -> f64 {
        self.requests as f64 / self.time.as_secs_f64()
    }

    pub(super) fn microseconds(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.requests as f64
    }
}
