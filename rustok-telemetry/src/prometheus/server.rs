//! An HTTP server for the text at `/metrics`, started if `OTEL_EXPORTER_PROMETHEUS_HOST` or `…_PORT` is set.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr, TcpListener},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, runtime::Handle, task::JoinHandle, time::timeout};

use super::response::{denied, plain, text_response};
use crate::{InitError, access::Access};

/// What one client can occupy.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Maximum number of connections. A further one closes the oldest, which a slow client holds: a scrape takes
    /// milliseconds.
    connections: usize,
    /// Maximum duration of a request's head.
    head: Duration,
    /// Maximum duration of a connection.
    connection: Duration,
}

const LIMITS: Limits = Limits {
    connections: 16,
    head: Duration::from_secs(5),
    connection: Duration::from_secs(30),
};

/// Maximum size of a request's head, which includes its path.
const MAX_HEAD: usize = 16 * 1024;

/// Binds the address and serves on the runtime until it shuts down. Returns the bound address.
pub(crate) fn start(host: &str, port: u16, runtime: &Handle) -> Result<SocketAddr, InitError> {
    let failed = |error: io::Error| {
        InitError::pipeline(
            format!(
                "the server for Prometheus: OTEL_EXPORTER_PROMETHEUS_HOST={host}, OTEL_EXPORTER_PROMETHEUS_PORT={port}"
            ),
            error,
        )
    };
    let listener = TcpListener::bind((host.trim_matches(['[', ']']), port)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let _entered = runtime.enter();
    let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
    runtime.spawn(accept(listener, LIMITS));
    Ok(address)
}

async fn accept(listener: tokio::net::TcpListener, limits: Limits) {
    let mut connections = VecDeque::<JoinHandle<_>>::new();
    loop {
        match listener.accept().await {
            Ok((connection, peer)) => {
                connections.retain(|connection| !connection.is_finished());
                if connections.len() >= limits.connections
                    && let Some(oldest) = connections.pop_front()
                {
                    oldest.abort();
                }
                let serving = serve(connection, peer.ip(), limits.head);
                connections.push_back(tokio::spawn(timeout(limits.connection, serving)));
            }
            // Out of file descriptors, for example: retry later.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn serve(connection: TcpStream, peer: IpAddr, head: Duration) {
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .keep_alive(false)
        .max_buf_size(MAX_HEAD)
        .serve_connection(
            TokioIo::new(connection),
            service_fn(|request| respond(peer, request)),
        );
    // Errors are the client's: it disconnected or sent an invalid request.
    let _ = serving.await;
}

/// Responds without reading the body of the request.
async fn respond(
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (path, headers) = (request.uri().path(), request.headers());
    let response = match (request.method(), path) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            match Access::default().admit(Some(peer), headers) {
                Ok(()) => text_response(headers).await,
                Err(reason) => denied(reason, reason.sentence()),
            }
        }
        (_, "/metrics") => reject(StatusCode::METHOD_NOT_ALLOWED),
        _ => reject(StatusCode::NOT_FOUND),
    };
    Ok(response.map(Full::from))
}

fn reject(status: StatusCode) -> Response<Bytes> {
    plain(status, "the metrics are at GET /metrics\n")
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
