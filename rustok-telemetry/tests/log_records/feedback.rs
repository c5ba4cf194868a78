//! Sending records makes no records, though everything is logged.

use std::{net::TcpListener, thread, time::Duration};

use crate::{receiver::Receiver, sending_to, with_rust_log};

#[test]
fn over_http_sending_makes_no_records() {
    with_rust_log(
        "feedback::over_http_sending_makes_no_records",
        "trace",
        || {
            let receiver = Receiver::start(200, Duration::ZERO);
            let telemetry = sending_to(&receiver.endpoint, &[])
                .exporter_target("shop::proxy")
                .init()
                .expect("telemetry starts");
            for _ in 0..20 {
                tracing::info!("work");
                tracing::info!(target: "shop::proxy::connection", "takes part in sending");
                thread::sleep(Duration::from_millis(50));
            }
            let report = telemetry.shutdown();
            assert!(report.is_complete(), "{report}");
            let records = receiver.records();
            let others: Vec<_> = records
                .iter()
                .filter(|record| record.scope != "log_records::feedback")
                .map(|record| (&record.scope, record.body()))
                .collect();
            assert!(others.is_empty(), "{others:#?}");
            assert_eq!(records.len(), 20);
        },
    );
}

#[test]
fn over_grpc_sending_makes_no_records() {
    with_rust_log(
        "feedback::over_grpc_sending_makes_no_records",
        "trace",
        || {
            let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
            let variables = [
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "200"),
            ];
            let telemetry = sending_to(&endpoint, &variables)
                .init()
                .expect("telemetry starts");
            tracing::info!("work");
            thread::sleep(Duration::from_secs(1));
            let report = telemetry.shutdown_within(Duration::from_secs(3));
            let records = report.lost_log_records + report.unsent_log_records;
            assert_eq!(records, 1, "{report}");
        },
    );
}
