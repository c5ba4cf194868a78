//! The service that `cargo xtask faults` puts under a fault. It is configured by `OTEL_*`, answers requests, and reports
//! on its standard output what it recorded.
//!
//! A request makes a span and inner spans, a log record with a unique number, and what the HTTP layer records.
#![allow(clippy::print_stdout, reason = "the program speaks to its parent")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Path, routing};
use clap::Parser;
use rustok_telemetry::{health, http::TelemetryLayer};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Debug, Parser)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// Number of the first log record.
    #[arg(long, default_value_t = 0)]
    first_number: u64,
    /// Threads that serve requests.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Inner spans of a request.
    #[arg(long, default_value_t = 1)]
    spans: u64,
    /// Bytes of an attribute of an inner span.
    #[arg(long, default_value_t = 16)]
    span_bytes: usize,
}

fn main() {
    let arguments = Arguments::parse();
    let telemetry = rustok_telemetry::builder()
        .default_service_name("fault-service")
        .init()
        .expect("a valid configuration");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.workers)
        .enable_all()
        .build()
        .expect("a runtime");
    let served = Arc::<AtomicU64>::default();
    let address = runtime.block_on(listen(Arc::clone(&served), &arguments));
    println!("{address}");
    for order in std::io::stdin().lines() {
        match order.expect("text").as_str() {
            "flush" => drop(telemetry.force_flush(Duration::from_secs(10))),
            "stop" => break,
            _ => {}
        }
        println!("{}", state(&served, &arguments));
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
    let report = telemetry.shutdown();
    let mut last = state(&served, &arguments);
    last["complete"] = json!(report.is_complete());
    println!("{last}");
}

/// Returns the number of requests, and the health of the telemetry.
fn state(served: &AtomicU64, arguments: &Arguments) -> Value {
    let served = served.load(Ordering::SeqCst);
    json!({
        "served": served,
        "spans": served * (1 + arguments.spans),
        "signals": health().to_json()["signals"],
    })
}

async fn listen(served: Arc<AtomicU64>, arguments: &Arguments) -> SocketAddr {
    let payload: Arc<str> = "x".repeat(arguments.span_bytes).into();
    let (spans, first) = (arguments.spans, arguments.first_number);
    let product = async move |Path(id): Path<u32>| {
        let number = first + served.fetch_add(1, Ordering::SeqCst);
        for _ in 0..spans {
            find(&payload);
        }
        tracing::info!(number, "product found");
        format!("product {id}")
    };
    let routes = Router::new()
        .route("/products/{id}", routing::get(product))
        .layer(TelemetryLayer::new());
    let listener = TcpListener::bind(arguments.address).await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(axum::serve(listener, routes).into_future());
    address
}

#[rustok_telemetry::instrument(name = "catalogue.find", fields(payload = payload))]
fn find(payload: &str) {
    std::hint::black_box(payload);
}
