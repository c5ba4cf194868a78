//! A proxy between a service and the Collector, which injects faults: into connections, TLS handshakes or answers.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_rustls::TlsAcceptor;

use super::Error;
use super::answers::{Answers, Upstream};
use super::certificates::Certificates;

/// A fault that the proxy injects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// No fault.
    Pass,
    /// Nothing listens, and open connections are reset.
    Refused,
    /// Open connections are reset once, new ones work.
    Cut,
    /// Connections stay open, and every byte disappears.
    BlackHole,
    /// A connection is reset after this many bytes of requests.
    ResetAfter(u64),
    /// Requests pass at this many bytes a second, over all connections.
    BytesPerSecond(u64),
    /// The server's certificate has expired.
    ExpiredCertificate,
    /// Requests are answered by the proxy, or late.
    Answers(Answers),
}

/// What the proxy understands.
#[derive(Debug, Clone)]
pub enum Layer {
    /// Bytes.
    Tcp,
    /// TLS, which ends here.
    Tls(Arc<Certificates>),
    /// HTTP/1 and gRPC requests.
    Http,
}

/// A running proxy, until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    shared: Arc<Shared>,
    // Dropping it ends the tasks.
    _runtime: Runtime,
}

#[derive(Debug)]
struct Shared {
    layer: Layer,
    upstream: SocketAddr,
    http: Upstream,
    mode: watch::Receiver<Mode>,
    /// Bytes of requests that were passed on.
    passed: AtomicU64,
    /// When the throttled link is free again.
    link_free_at: tokio::sync::Mutex<Instant>,
}

impl Proxy {
    /// Starts a proxy on a free port of 127.0.0.1.
    pub fn start(layer: Layer, upstream: SocketAddr) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let _entered = runtime.enter();
        let listener = listen(([127, 0, 0, 1], 0).into())?;
        let address = listener.local_addr()?;
        let (mode, watched) = watch::channel(Mode::Pass);
        let shared = Arc::new(Shared {
            layer,
            upstream,
            http: Upstream::new(upstream),
            mode: watched.clone(),
            passed: AtomicU64::new(0),
            link_free_at: tokio::sync::Mutex::new(Instant::now()),
        });
        runtime.spawn(accept(listener, address, Arc::clone(&shared), watched));
        drop(_entered);
        Ok(Self {
            address,
            mode,
            shared,
            _runtime: runtime,
        })
    }

    /// Returns the address that the service sends to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins or ends a fault.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Returns how many bytes of requests were passed on.
    pub fn passed(&self) -> u64 {
        self.shared.passed.load(Ordering::Relaxed)
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    // A throttled link does not hide behind megabytes in the buffers of the kernel.
    socket.set_recv_buffer_size(64 << 10)?;
    socket.bind(address)?;
    socket.listen(1024)
}

async fn accept(
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    mut mode: watch::Receiver<Mode>,
) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = accepted => {
                if let Ok((connection, _)) = accepted {
                    connections.spawn(serve(connection, Arc::clone(&shared)));
                }
            }
            changed = mode.changed() => {
                if changed.is_err() {
                    return;
                }
                let now = *mode.borrow_and_update();
                if matches!(now, Mode::Refused | Mode::Cut | Mode::ExpiredCertificate) {
                    connections.abort_all();
                }
                match now {
                    Mode::Refused => listener = None,
                    _ if listener.is_none() => listener = listen_again(address).await,
                    _ => {}
                }
            }
            // Reaps.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// An outgoing connection may have taken the port; it does not keep it for long.
async fn listen_again(address: SocketAddr) -> Option<TcpListener> {
    for _ in 0..100 {
        if let Ok(listener) = listen(address) {
            return Some(listener);
        }
        sleep(Duration::from_millis(50)).await;
    }
    None
}

/// Ends when the connection does. Its errors are the fault that was asked for.
async fn serve(connection: TcpStream, shared: Arc<Shared>) {
    let _ = connection.set_nodelay(true);
    let _ = match &shared.layer {
        Layer::Tcp => relay_tcp(connection, &shared).await,
        Layer::Tls(certificates) => {
            let expired = *shared.mode.borrow() == Mode::ExpiredCertificate;
            let acceptor = TlsAcceptor::from(certificates.server(expired));
            match acceptor.accept(connection).await {
                Ok(secure) => relay_tls(secure, &shared).await,
                Err(error) => Err(error),
            }
        }
        Layer::Http => {
            let mode = shared.mode.clone();
            let upstream = shared.http.clone();
            let service = service_fn(move |request| {
                let answers = match *mode.borrow() {
                    Mode::Answers(answers) => Some(answers),
                    _ => None,
                };
                let upstream = upstream.clone();
                async move { Ok::<_, Infallible>(upstream.answer(request, answers).await) }
            });
            let server = auto::Builder::new(TokioExecutor::new());
            let served = server.serve_connection(TokioIo::new(connection), service);
            served.await.map_err(io::Error::other)
        }
    };
}

async fn relay_tcp(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut server = TcpStream::connect(shared.upstream).await?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let relayed = tokio::try_join!(
        copy(from_client, to_server, shared, true),
        copy(from_server, to_client, shared, false),
    );
    if relayed.is_err() {
        client.set_zero_linger()?;
        server.set_zero_linger()?;
    }
    relayed.map(drop)
}

async fn relay_tls(client: impl AsyncRead + AsyncWrite, shared: &Shared) -> io::Result<()> {
    let mut server = TcpStream::connect(shared.upstream).await?;
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = server.split();
    tokio::try_join!(
        copy(from_client, to_server, shared, true),
        copy(from_server, to_client, shared, false),
    )
    .map(drop)
}

/// Copies one direction until its end. An error resets the connection.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    shared: &Shared,
    is_request: bool,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    let mut copied = 0;
    loop {
        let count = from.read(&mut buffer).await?;
        // The guard of the channel must not be held across an await.
        let mode = *shared.mode.borrow();
        if mode == Mode::BlackHole {
            // The bytes are gone, so the connection can not recover.
            return std::future::pending().await;
        }
        if count == 0 {
            return to.shutdown().await;
        }
        if is_request {
            copied += count as u64;
            match mode {
                Mode::ResetAfter(limit) if copied > limit => {
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                Mode::BytesPerSecond(rate) => shared.wait_for_link(count, rate).await,
                _ => {}
            }
            shared.passed.fetch_add(count as u64, Ordering::Relaxed);
        }
        to.write_all(&buffer[..count]).await?;
    }
}

impl Shared {
    /// Waits for as long as the throttled link takes for these bytes, after those of the other connections.
    async fn wait_for_link(&self, bytes: usize, rate: u64) {
        let mut free_at = self.link_free_at.lock().await;
        let takes = Duration::from_secs_f64(bytes as f64 / rate as f64);
        *free_at = Instant::now().max(*free_at) + takes;
        sleep_until(*free_at).await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    use super::*;

    /// A server that sends back what it receives.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.expect("a connection");
                std::thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while let Ok(count @ 1..) = connection.read(&mut buffer) {
                        connection.write_all(&buffer[..count]).expect("sent");
                    }
                });
            }
        });
        address
    }

    fn exchange(connection: &mut TcpStream, bytes: usize) -> io::Result<()> {
        connection.write_all(&vec![1; bytes])?;
        let limit = Some(Duration::from_millis(1_500));
        connection.set_read_timeout(limit)?;
        connection.read_exact(&mut vec![0; bytes])
    }

    fn connect(proxy: &Proxy) -> TcpStream {
        TcpStream::connect(proxy.address()).expect("it listens")
    }

    #[test]
    fn each_fault_of_a_connection_is_what_its_name_says() {
        let proxy = Proxy::start(Layer::Tcp, echo()).expect("it starts");
        let mut connection = connect(&proxy);
        exchange(&mut connection, 10).expect("no fault");

        proxy.set(Mode::ResetAfter(1_000));
        let error = exchange(&mut connection, 2_000).expect_err("reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

        proxy.set(Mode::BlackHole);
        let error = exchange(&mut connect(&proxy), 10).expect_err("nothing comes");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);

        proxy.set(Mode::Pass);
        let mut connection = connect(&proxy);
        exchange(&mut connection, 10).expect("no fault");
        proxy.set(Mode::Refused);
        exchange(&mut connection, 10).expect_err("reset");
        std::thread::sleep(Duration::from_millis(100));
        let error = TcpStream::connect(proxy.address()).expect_err("refused");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);

        proxy.set(Mode::BytesPerSecond(10_000));
        std::thread::sleep(Duration::from_millis(200));
        let started = Instant::now();
        exchange(&mut connect(&proxy), 4_000).expect("slow");
        assert!(started.elapsed() > Duration::from_millis(300));
    }
}
