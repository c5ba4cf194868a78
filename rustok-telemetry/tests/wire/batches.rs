//! Sizes of batches, and when they leave.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    receiver::{Behaviour, Receiver},
    start,
};

#[test_fork::test]
fn no_batch_of_spans_is_larger_than_said() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"),
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
    ]);
    for _ in 0..25 {
        drop(tracing::info_span!("work"));
    }
    assert!(telemetry.shutdown().is_complete());
    let requests = receiver.requests();
    let sizes = || requests.iter().map(|request| request.spans().len());
    assert_eq!((sizes().max(), sizes().sum()), (Some(10), 25));
}

#[test_fork::test]
fn no_batch_of_log_records_is_larger_than_said() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "2"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "3600000"),
    ]);
    for _ in 0..5 {
        tracing::info!("done");
    }
    assert!(telemetry.shutdown().is_complete());
    let requests = receiver.requests();
    let sizes = || requests.iter().map(|request| request.log_records().len());
    assert_eq!((sizes().max(), sizes().sum()), (Some(2), 5));
}

#[test_fork::test]
fn spans_leave_after_the_delay_and_not_before() {
    leaves_after_the_delay(&[("OTEL_BSP_SCHEDULE_DELAY", "600")], || {
        drop(tracing::info_span!("work"));
    });
}

#[test_fork::test]
fn log_records_leave_after_the_delay_and_not_before() {
    let variables = [
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "600"),
    ];
    leaves_after_the_delay(&variables, || tracing::info!("done"));
}

/// What `work` makes leaves after 600 ms.
fn leaves_after_the_delay(variables: &[(&str, &str)], work: impl FnOnce()) {
    let receiver = Receiver::start();
    let endpoint = receiver.plain();
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    let telemetry = start(&[&endpoint, variables].concat());
    let started = Instant::now();
    work();
    sleep(Duration::from_millis(200));
    assert!(receiver.requests().is_empty());
    let took = receiver.wait_for(1)[0].at - started;
    assert!((500..5000).contains(&took.as_millis()), "{took:?}");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn metrics_leave_at_each_interval() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "300"),
    ]);
    let requests = receiver.wait_for(4);
    let took = requests[3].at - requests[0].at;
    assert!((750..5000).contains(&took.as_millis()), "{took:?}");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_queue_of_spans_takes_as_many_as_said() {
    let delay = Duration::from_millis(500);
    let receiver = Receiver::with(Behaviour {
        delay,
        ..Behaviour::default()
    });
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "7"),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ]);
    drop(tracing::info_span!("work"));
    // While the backend takes its time over the first, the others wait.
    sleep(Duration::from_millis(200));
    for _ in 0..20 {
        drop(tracing::info_span!("work"));
    }
    let report = telemetry.shutdown();
    assert_eq!(report.lost_spans, 13, "{report}");
    assert_eq!(receiver.spans().len(), 8);
}
