//! Requests to services: at a fixed rate to two of them in turn, or as many as one of them can answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Error;
use super::latency::Window;

/// Time for an answer, after which the run fails.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const WINDOW: Duration = Duration::from_secs(1);
/// What a service of the benchmarks is asked for.
pub(super) const PATH: &str = "/products/7";

/// A connection that is kept.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) fn open(address: SocketAddr, path: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nx-tenant-id: acme\r\n\r\n");
        Ok(Self {
            stream,
            request: request.into_bytes(),
            buffer: vec![0; 64 << 10],
        })
    }

    /// Sends the request, and reads the whole answer, which must be a success with a length.
    pub(super) fn exchange(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.request)?;
        let mut filled = 0;
        loop {
            let count = self.stream.read(&mut self.buffer[filled..])?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += count;
            let answer = &self.buffer[..filled];
            let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let text = String::from_utf8_lossy(&answer[..head]);
            if !text.starts_with("HTTP/1.1 2") {
                return Err(io::Error::other(text.into_owned()));
            }
            let length = text.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse().ok())?
            });
            let length: usize = length.ok_or_else(|| io::Error::other("no length"))?;
            if filled >= head + 4 + length {
                return Ok(());
            }
        }
    }
}

/// Requests to two services in turn, at a fixed rate, until they are stopped.
pub(super) struct PairedLoad {
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Vec<Window>>>,
}

impl PairedLoad {
    /// Sends one request to each service every `interval`.
    pub(super) fn start(services: [SocketAddr; 2], interval: Duration) -> Self {
        let stopped = Arc::<AtomicBool>::default();
        let stop = Arc::clone(&stopped);
        let thread = thread::spawn(move || send_in_turn(services, interval, &stop));
        Self { stopped, thread }
    }

    /// Returns the latencies of whole windows.
    pub(super) fn stop(self) -> Result<Vec<Window>, Error> {
        self.stopped.store(true, Ordering::Relaxed);
        let windows = self.thread.join().map_err(|_| "the load panicked")?;
        Ok(windows.map_err(|error| format!("a request to a service failed: {error}"))?)
    }
}

fn send_in_turn(
    services: [SocketAddr; 2],
    interval: Duration,
    stop: &AtomicBool,
) -> io::Result<Vec<Window>> {
    let [one, other] = services.map(|service| Connection::open(service, PATH));
    let mut connections = [one?, other?];
    let started = Instant::now();
    let mut next = started;
    let mut windows = Vec::new();
    let mut current = Window::default();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return Ok(windows);
        }
        if started.elapsed() > WINDOW * (windows.len() as u32 + 1) {
            windows.push(std::mem::take(&mut current));
        }
        // Each is first as often as the other.
        for service in [number % 2, (number + 1) % 2] {
            let sent = Instant::now();
            connections[service].exchange()?;
            let mut took = sent.elapsed();
            // The requests that a stall keeps back count as well, and are not sent.
            while took > Duration::ZERO {
                current.0[service].push(took);
                took = took.saturating_sub(interval);
            }
        }
        next = (next + interval).max(Instant::now());
        sleep_until(next);
    }
    Ok(windows)
}

fn sleep_until(moment: Instant) {
    thread::sleep(moment.saturating_duration_since(Instant::now()));
}

/// Requests to a service that is killed and started again, at a fixed rate, until they are stopped.
pub(super) struct PersistentLoad {
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<Requests>,
}

/// The requests of a [`PersistentLoad`].
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Requests {
    pub(super) answered: u64,
    /// Requests that were sent and not answered. The service may have recorded them.
    pub(super) unanswered: u64,
}

impl PersistentLoad {
    /// Sends one request every `interval`, while the service listens.
    pub(super) fn start(service: SocketAddr, interval: Duration) -> Self {
        let stopped = Arc::<AtomicBool>::default();
        let stop = Arc::clone(&stopped);
        let thread = thread::spawn(move || send_while_it_listens(service, interval, &stop));
        Self { stopped, thread }
    }

    pub(super) fn stop(self) -> Result<Requests, Error> {
        self.stopped.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the load panicked".into())
    }
}

fn send_while_it_listens(service: SocketAddr, interval: Duration, stop: &AtomicBool) -> Requests {
    let mut requests = Requests::default();
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        let next = Instant::now() + interval;
        if connection.is_none() {
            connection = Connection::open(service, PATH).ok();
        }
        match connection.as_mut().map(Connection::exchange) {
            Some(Ok(())) => requests.answered += 1,
            Some(Err(_)) => {
                requests.unanswered += 1;
                connection = None;
            }
            None => {}
        }
        sleep_until(next);
    }
    requests
}

/// As many requests as a service answers, over several connections, until it is stopped.
pub(super) struct FullLoad {
    stopped: Arc<AtomicBool>,
    threads: Vec<JoinHandle<io::Result<u64>>>,
}

impl FullLoad {
    pub(super) fn start(service: SocketAddr, path: &'static str, connections: usize) -> Self {
        let stopped = Arc::<AtomicBool>::default();
        let send = || {
            let stop = Arc::clone(&stopped);
            thread::spawn(move || {
                let mut connection = Connection::open(service, path)?;
                let mut answered = 0;
                while !stop.load(Ordering::Relaxed) {
                    connection.exchange()?;
                    answered += 1;
                }
                Ok(answered)
            })
        };
        let threads = (0..connections).map(|_| send()).collect();
        Self { stopped, threads }
    }

    /// Returns how many requests were answered.
    pub(super) fn stop(self) -> Result<u64, Error> {
        self.stopped.store(true, Ordering::Relaxed);
        let mut answered = 0;
        for thread in self.threads {
            let result = thread.join().map_err(|_| "the load panicked")?;
            answered +=
                result.map_err(|error| format!("a request to a service failed: {error}"))?;
        }
        Ok(answered)
    }
}
