//! No record is lost silently.

use std::{
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use crate::{
    receiver::Receiver,
    sending_to,
    support::{samples, text},
};

#[test_fork::test]
fn shutdown_exports_the_queue_and_counts_late_records() {
    let receiver = Receiver::start(200, Duration::from_millis(500));
    let telemetry = sending_to(
        &receiver.endpoint,
        &[("OTEL_BLRP_SCHEDULE_DELAY", "3600000")],
    )
    .init()
    .expect("telemetry starts");
    for _ in 0..1_000 {
        tracing::info!("in time");
    }
    // While the receiver takes its time, the service goes on logging.
    let stopping = thread::spawn(move || telemetry.shutdown_within(Duration::from_secs(8)));
    let mut logged = 1_000;
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(250) {
        tracing::info!("perhaps in time");
        logged += 1;
        thread::sleep(Duration::from_millis(1));
    }
    let report = stopping.join().expect("no panic");
    let sent = receiver.records();
    let in_time = sent.iter().filter(|record| record.body() == "in time");
    assert_eq!(in_time.count(), 1_000);
    assert_eq!(report.unsent_log_records, 0, "{report}");
    assert!(report.lost_log_records > 0, "{report}");
    assert_eq!(
        sent.len() as u64 + report.lost_log_records,
        logged,
        "{report}"
    );
    assert!(!report.timed_out && !report.is_complete(), "{report}");
    assert!(
        report.to_string().contains(" log records dropped"),
        "{report}"
    );
    tracing::info!("after the end, which does no harm");
}

#[test_fork::test]
fn a_full_queue_drops_records_and_counts_them() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    let variables = [
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "64"),
        ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "64"),
    ];
    let telemetry = sending_to(&endpoint, &variables)
        .init()
        .expect("telemetry starts");
    for _ in 0..1_000 {
        tracing::info!("work");
    }
    let text = text();
    let one = |name: &str, labels: &str| -> u64 {
        samples(&text, name)[labels].parse().expect("a number")
    };
    assert!(one("rustok_telemetry_log_record_queue_length", "") <= 64);
    assert_eq!(one("rustok_telemetry_log_record_queue_capacity", ""), 64);
    // Nothing is answered, so at most a full queue and one batch are not lost yet. An eighth is for warnings.
    let lost = one(
        "rustok_telemetry_log_records_lost_total",
        "{reason=\"queue_full\"}",
    );
    assert!((1_000 - 64 - 64..=1_000 - 56).contains(&lost), "{lost}");
    assert_eq!(
        one(
            "rustok_telemetry_spans_lost_total",
            "{reason=\"queue_full\"}"
        ),
        0
    );
    let started = Instant::now();
    let report = telemetry.shutdown_within(Duration::from_secs(1));
    assert!(started.elapsed() < Duration::from_secs(2), "{report}");
    assert!(report.timed_out, "{report}");
    assert_eq!(
        report.lost_log_records + report.unsent_log_records,
        1_000,
        "{report}"
    );
}

#[test_fork::test]
fn rejected_records_are_counted_with_the_reason() {
    let receiver = Receiver::start(400, Duration::ZERO);
    let telemetry = sending_to(&receiver.endpoint, &[])
        .init()
        .expect("telemetry starts");
    for _ in 0..3 {
        tracing::info!("work");
    }
    let failed = |text: &str| {
        let lost = samples(text, "rustok_telemetry_log_records_lost_total");
        lost["{reason=\"export_failed\"}"] == "3"
    };
    let started = Instant::now();
    while !failed(&text()) {
        assert!(started.elapsed() < Duration::from_secs(10), "{}", text());
        thread::sleep(Duration::from_millis(10));
    }
    let text = text();
    let exports = samples(&text, "rustok_telemetry_exports_total");
    assert_ne!(exports["{result=\"failure\",signal=\"logs\"}"], "0");
    assert_eq!(exports["{result=\"success\",signal=\"logs\"}"], "0");
    assert_eq!(
        samples(&text, "rustok_telemetry_log_records_exported_total")[""],
        "0"
    );
    let report = telemetry.shutdown_within(Duration::from_secs(5));
    assert_eq!(report.lost_log_records, 3, "{report}");
    assert!(report.logs_error.is_some(), "{report}");
    assert!(report.to_string().contains("logs: "), "{report}");
}

#[test_fork::test]
fn exported_records_are_counted() {
    let receiver = Receiver::start(200, Duration::ZERO);
    let telemetry = sending_to(&receiver.endpoint, &[])
        .init()
        .expect("telemetry starts");
    tracing::info!("work");
    receiver.wait_for(1);
    let started = Instant::now();
    let exported = || samples(&text(), "rustok_telemetry_log_records_exported_total")[""].clone();
    while exported() != "1" {
        assert!(started.elapsed() < Duration::from_secs(10), "{}", text());
        thread::sleep(Duration::from_millis(10));
    }
    assert!(telemetry.shutdown().is_complete());
}
