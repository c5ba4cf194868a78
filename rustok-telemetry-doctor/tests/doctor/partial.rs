//! Receivers that answer with a partial success.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;

use crate::{
    doctor_json,
    receiver::{Behaviour, Receiver},
    step,
};

/// What the doctor says of each signal, by each protocol. The answers for all signals are alike on the wire.
fn check(rejected_spans: i64, assert: impl Fn(&serde_json::Value)) {
    let answer = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans,
            error_message: "too old".to_owned(),
        }),
    };
    let receiver = Receiver::with(Behaviour {
        answer: answer.encode_to_vec(),
        ..Behaviour::default()
    });
    for protocol in ["http/protobuf", "grpc"] {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*receiver.plain()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_LOGS_EXPORTER", "otlp"),
        ];
        let arguments = [
            "--jaeger",
            "http://127.0.0.1:9",
            "--prometheus",
            "http://127.0.0.1:9",
        ];
        let json = doctor_json(&arguments, &variables);
        for signal in ["traces", "metrics", "logs"] {
            assert(step(&json, signal));
        }
        // What was not accepted in full is not looked for.
        let expected = match rejected_spans {
            0 => "failed",
            _ => "skipped",
        };
        for backend in ["jaeger", "prometheus"] {
            assert_eq!(step(&json, backend)["result"], expected, "{json:#}");
        }
    }
}

#[test]
fn rejected_items_are_a_failure_of_each_signal() {
    check(3, |step| {
        assert_eq!(step["result"], "failed", "{step:#}");
        assert_eq!(step["seen"], "3 items rejected: too old", "{step:#}");
    });
}

#[test]
fn warning_without_rejected_items_is_no_failure() {
    check(0, |step| {
        assert_eq!(step["result"], "ok", "{step:#}");
        let expected = "accepted, with a warning: too old";
        assert_eq!(step["seen"], expected, "{step:#}");
    });
}
