//! One exporter, two receivers: what comes in is handed on to both, byte by byte.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, header::CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::post;

use crate::server::agent;

/// Runs for as long as the test.
pub(crate) struct Both {
    /// Where to push to.
    pub(crate) url: String,
}

impl Both {
    /// Hands on to both addresses.
    pub(crate) fn start(receivers: [String; 2]) -> Self {
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build();
            runtime
                .expect("a runtime")
                .block_on(serve(receivers, &tell));
        });
        let address = told.recv().expect("it listens");
        Self {
            url: format!("http://{address}/v1/metrics"),
        }
    }
}

async fn serve(receivers: [String; 2], tell: &mpsc::Sender<SocketAddr>) {
    let take = move |headers, body| hand_on(receivers.clone(), headers, body);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tell.send(address).expect("the test waits");
    let routes = Router::new().route("/v1/metrics", post(take));
    axum::serve(listener, routes).await.expect("it serves");
}

/// Whatever one of the two refuses fails the push, and says so on standard error.
async fn hand_on(receivers: [String; 2], headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let handed_on = tokio::task::spawn_blocking(move || {
        for receiver in receivers {
            let mut request = agent().post(&receiver);
            for (name, value) in &headers {
                if name.as_str().starts_with("content-") && name != "content-length" {
                    request = request.header(name, value);
                }
            }
            let mut answer = request.send(&body[..]).expect("an answer");
            let said = answer.body_mut().read_to_vec().expect("a body");
            let status = answer.status().as_u16();
            let said = String::from_utf8_lossy(&said);
            assert_eq!(status, 200, "{receiver}: {said}");
        }
    });
    handed_on.await.expect("both take it");
    // An empty message: all was accepted.
    [(CONTENT_TYPE, "application/x-protobuf")]
}
