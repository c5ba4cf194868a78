//! Telemetry within and outside of a tokio runtime: everything arrives, in whatever order they start and end.

use std::time::Duration;

use rustok_telemetry::{Telemetry, metrics};
use tokio::runtime::{Builder, Runtime};

use crate::{exporting, receiver::Receiver};

const HTTP: &str = "http/protobuf";
const GRPC: &str = "grpc";

fn start(receiver: &Receiver, protocol: &str) -> Telemetry {
    exporting(
        receiver,
        &[
            ("OTEL_TRACES_EXPORTER", "otlp"),
            ("OTEL_METRICS_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ],
    )
    .init()
    .expect("telemetry starts")
}

fn record() {
    drop(tracing::info_span!("work"));
    metrics::record_event_published("OrderPlaced", "acme");
}

async fn work() {
    record();
    tokio::spawn(async { record() }).await.expect("no panic");
}

#[track_caller]
fn assert_arrives(telemetry: Telemetry, receiver: &Receiver, spans: usize) {
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    assert!(report.elapsed < Duration::from_secs(5), "{report}");
    assert_eq!(receiver.spans().len(), spans);
    let mut requests = receiver.requests();
    requests.retain(|request| request.is_of("metrics"));
    let metrics = requests.last().expect("an export").metrics();
    let names: Vec<_> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert!(
        names.contains(&"rustok_event_bus_published_total"),
        "{names:?}"
    );
}

fn multi_thread() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.enable_all().build().expect("a runtime")
}

#[test_fork::test]
fn without_a_runtime() {
    let receiver = Receiver::start();
    let telemetry = start(&receiver, HTTP);
    record();
    assert_arrives(telemetry, &receiver, 1);
}

#[test_fork::test]
fn started_before_the_runtime() {
    let receiver = Receiver::start();
    let telemetry = start(&receiver, HTTP);
    multi_thread().block_on(work());
    assert_arrives(telemetry, &receiver, 2);
}

#[test_fork::test]
fn shut_down_after_the_runtime_in_which_it_started() {
    let receiver = Receiver::start();
    let runtime = multi_thread();
    let telemetry = runtime.block_on(async {
        let telemetry = start(&receiver, GRPC);
        work().await;
        telemetry
    });
    drop(runtime);
    record();
    assert_arrives(telemetry, &receiver, 3);
}

#[tokio::test(flavor = "current_thread")]
#[test_fork::fork]
async fn within_a_current_thread_runtime() {
    let receiver = Receiver::start();
    let telemetry = start(&receiver, GRPC);
    work().await;
    let report = telemetry.force_flush(Duration::from_secs(5));
    assert!(report.is_complete(), "{report}");
    work().await;
    assert_arrives(telemetry, &receiver, 4);
}

#[tokio::test(flavor = "multi_thread")]
#[test_fork::fork]
async fn within_a_multi_thread_runtime() {
    let receiver = Receiver::start();
    let telemetry = start(&receiver, HTTP);
    work().await;
    assert_arrives(telemetry, &receiver, 2);
}

#[test_fork::test]
fn shut_down_before_the_runtime_in_which_it_started() {
    let receiver = Receiver::start();
    multi_thread().block_on(async {
        let telemetry = start(&receiver, HTTP);
        work().await;
        assert_arrives(telemetry, &receiver, 2);
        work().await;
    });
    // Each time a published event, a created span, and its duration.
    assert_eq!(rustok_telemetry::lost_records().after_shutdown, 2 * 3);
    assert_eq!(receiver.spans().len(), 2);
}
