//! A TCP proxy that stops forwarding on open connections without closing them, while new ones work.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// What a proxy swallows of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swallowed {
    Everything,
    /// Requests arrive, answers do not.
    Answers,
}

/// A proxy in front of one receiver.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    swallowed: Swallowed,
    accepted: AtomicUsize,
    /// Connections that were accepted before so many others are swallowed.
    swallowed_until: AtomicUsize,
    /// What clients sent, by connection.
    requests: Mutex<Vec<Vec<u8>>>,
}

impl Proxy {
    pub(crate) fn start(receiver: SocketAddr, swallowed: Swallowed) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            swallowed,
            accepted: AtomicUsize::new(0),
            swallowed_until: AtomicUsize::new(0),
            requests: Mutex::default(),
        });
        let accepting = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.expect("a connection");
                let server = TcpStream::connect(receiver).expect("the receiver");
                accepting.forward(&client, &server);
            }
        });
        Self { address, state }
    }

    pub(crate) fn plain(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn secure(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Stops forwarding on the connections that are open.
    pub(crate) fn swallow_open_connections(&self) {
        self.swallow_first(self.accepted());
    }

    /// Stops forwarding on the first connections, open or not.
    pub(crate) fn swallow_first(&self, connections: usize) {
        let until = &self.state.swallowed_until;
        until.store(connections, Ordering::SeqCst);
    }

    pub(crate) fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// HTTP/2 pings that clients sent, by connection. Only in clear text.
    pub(crate) fn pings(&self) -> Vec<usize> {
        let requests = self.state.requests.lock().expect("no panic");
        requests.iter().map(|bytes| pings(bytes)).collect()
    }
}

impl State {
    fn forward(self: &Arc<Self>, client: &TcpStream, server: &TcpStream) {
        let connection = self.accepted.fetch_add(1, Ordering::SeqCst);
        self.requests.lock().expect("no panic").push(Vec::new());
        let ends = || {
            (
                client.try_clone().expect("a socket"),
                server.try_clone().expect("a socket"),
            )
        };
        let (requests, answers) = (Arc::clone(self), Arc::clone(self));
        let (from_client, to_server) = ends();
        thread::spawn(move || {
            copy(from_client, to_server, |bytes| {
                let mut all = requests.requests.lock().expect("no panic");
                all[connection].extend_from_slice(bytes);
                !requests.swallows(connection) || requests.swallowed == Swallowed::Answers
            });
        });
        let (to_client, from_server) = ends();
        thread::spawn(move || copy(from_server, to_client, |_| !answers.swallows(connection)));
    }

    fn swallows(&self, connection: usize) -> bool {
        connection < self.swallowed_until.load(Ordering::SeqCst)
    }
}

/// Copies what `passes`, until one side closes.
fn copy(mut from: TcpStream, mut to: TcpStream, passes: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if passes(&buffer[..read]) && to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Frames of HTTP/2 have nine bytes in front: three for the length, the type, the flags, four for the stream.
fn pings(bytes: &[u8]) -> usize {
    const PREFACE: usize = 24;
    const PING: u8 = 6;
    const ACK: u8 = 1;
    let mut left = bytes.get(PREFACE..).unwrap_or_default();
    let mut pings = 0;
    while let [a, b, c, kind, flags, ..] = *left {
        pings += usize::from(kind == PING && flags & ACK == 0);
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        left = left.get(9 + length..).unwrap_or_default();
    }
    pings
}
