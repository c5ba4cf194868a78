//! Somebody on the way, who hands on what is sent and keeps a copy.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Hands on all connections to a port, and keeps what clients have sent.
pub(crate) struct Tap {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    pub(crate) fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", to)).expect("it listens");
                let kept = Arc::clone(&kept);
                let (to_server, to_client) = (
                    (
                        client.try_clone().expect("a socket"),
                        server.try_clone().expect("a socket"),
                    ),
                    (server, client),
                );
                thread::spawn(move || pass(to_client.0, to_client.1, |_| {}));
                thread::spawn(move || {
                    pass(to_server.0, to_server.1, |bytes| {
                        kept.lock().expect("no panic").extend_from_slice(bytes);
                    });
                });
            }
        });
        Self { port, seen }
    }

    /// All that clients have sent.
    pub(crate) fn seen(&self) -> Vec<u8> {
        self.seen.lock().expect("no panic").clone()
    }
}

/// Until one side ends.
fn pass(mut from: TcpStream, mut to: TcpStream, seen: impl Fn(&[u8])) {
    let mut part = [0; 16 * 1024];
    while let Ok(read) = from.read(&mut part) {
        if read == 0 {
            break;
        }
        seen(&part[..read]);
        if to.write_all(&part[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
