//! Servers on ports of their own, which run until the test ends.

use std::{convert::Infallible, future::Future, net::TcpListener, sync::mpsc, thread};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use http_body_util::Empty;
use hyper::{Response, body::Bytes, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};

/// A port that nothing listens on. It stays taken until the process ends, so that no other test gets it.
pub(crate) fn nothing() -> String {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket
        .bind(([127, 0, 0, 1], 0).into())
        .expect("a free port");
    let address = socket.local_addr().expect("an address").to_string();
    std::mem::forget(socket);
    address
}

/// A port that accepts connections and never answers.
pub(crate) fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

/// A receiver over HTTP/1.1 with these paths. With a key, requests need it in the header `api-key`.
pub(crate) fn http(paths: &'static [&'static str], key: Option<&'static str>) -> String {
    let answer = move |headers: HeaderMap| async move {
        match key {
            Some(key) if headers.get("api-key").is_none_or(|given| given != key) => {
                StatusCode::UNAUTHORIZED
            }
            _ => StatusCode::OK,
        }
    };
    let routes = paths.iter().fold(Router::new(), |routes, path| {
        routes.route(path, post(answer))
    });
    serve(|listener| async move {
        axum::serve(listener, routes).await.expect("it serves");
    })
}

/// A gRPC server, which speaks HTTP/2 alone and answers each call with this status.
pub(crate) fn grpc(status: &'static str) -> String {
    serve(move |listener| async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let service = service_fn(move |_| async move {
                let answer = Response::builder()
                    .header("content-type", "application/grpc")
                    .header("grpc-status", status)
                    .body(Empty::<Bytes>::new());
                Ok::<_, Infallible>(answer.expect("an answer"))
            });
            // A client that speaks something else ends its connection, and no more.
            tokio::spawn(
                http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    })
}

fn serve<F: Future<Output = ()>>(
    server: impl FnOnce(tokio::net::TcpListener) -> F + Send + 'static,
) -> String {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a free port");
            let address = listener.local_addr().expect("an address");
            sender.send(address.to_string()).expect("the test waits");
            server(listener).await;
        });
    });
    receiver.recv().expect("it listens")
}
