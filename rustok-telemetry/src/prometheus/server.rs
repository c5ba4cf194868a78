//! An HTTP server for the text at `/metrics`, started if `OTEL_EXPORTER_PROMETHEUS_HOST` or `…_PORT` is set.

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, runtime::Handle, sync::Semaphore, time::timeout};

use super::response::{plain, text_response};
use crate::InitError;

/// Maximum number of concurrent connections. Further ones wait.
const MAX_CONNECTIONS: usize = 16;

/// Maximum duration of a connection.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);

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
    runtime.spawn(accept(listener));
    Ok(address)
}

async fn accept(listener: tokio::net::TcpListener) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
        match listener.accept().await {
            Ok((connection, _)) => {
                tokio::spawn(async move {
                    let _ = timeout(CONNECTION_TIMEOUT, serve(connection)).await;
                    drop(permit);
                });
            }
            // Out of file descriptors, for example: retry later.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn serve(connection: TcpStream) {
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(5))
        .keep_alive(false)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(connection), service_fn(respond));
    // Errors are the client's: it disconnected or sent an invalid request.
    let _ = serving.await;
}

async fn respond(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    let response = match (request.method(), path) {
        (&Method::GET | &Method::HEAD, "/metrics") => text_response(request.headers()).await,
        (_, "/metrics") => reject(StatusCode::METHOD_NOT_ALLOWED),
        _ => reject(StatusCode::NOT_FOUND),
    };
    Ok(response.map(Full::from))
}

fn reject(status: StatusCode) -> Response<Vec<u8>> {
    plain(status, "the metrics are at GET /metrics\n".to_owned())
}
