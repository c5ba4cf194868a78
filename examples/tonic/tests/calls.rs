//! The server and its client, as two processes.

#[path = "../../support/http.rs"]
mod http;
#[path = "../../support/program.rs"]
mod program;

use std::process::Command;

use http::get;
use program::{Ended, Program, assert_lines};

/// Starts the server. Returns its URL, and that of its metrics.
fn serve() -> (Program, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rustok-tonic-server"));
    let server = Program::start(command.arg("127.0.0.1:0").envs([
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", "0"),
    ]));
    let url = server.after("listening on ");
    let metrics = server.after("the metrics are served at ");
    (server, url, metrics)
}

fn convert(url: &str, from: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rustok-tonic-client"));
    let command = command.args([url, "2000", from, "USD"]);
    let command = command.envs([
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_METRICS_EXPORTER", "console"),
    ]);
    Program::start(command).end()
}

#[test]
fn a_call_is_one_trace_in_both_processes() {
    let (server, url, metrics) = serve();
    let client = convert(&url, "EUR");
    assert_eq!(client.code, Some(0), "{}", client.stderr);
    assert!(
        client.stderr.contains("2320 USD cents"),
        "{}",
        client.stderr
    );
    let text = get(&metrics).expect("the text");
    assert_lines(
        &text,
        &[
            r#"rustok_grpc_server_handled_total{code="OK",method="Convert",service="rates.v1.Rates"} 1"#,
            r#"rustok_grpc_server_duration_seconds_count{method="Convert",service="rates.v1.Rates"} 1"#,
            r#"rustok_grpc_server_messages_received_total{method="Convert",service="rates.v1.Rates"} 1"#,
            r#"rustok_grpc_server_messages_sent_total{method="Convert",service="rates.v1.Rates"} 1"#,
        ],
    );
    let server = server.interrupt();
    assert_eq!(server.code, Some(0), "{}", server.stderr);

    let (caller, call) = (
        client.span("money.convert"),
        client.span("rates.v1.Rates/Convert"),
    );
    let (handled, handler) = (
        server.span("rates.v1.Rates/Convert"),
        server.span("rates.convert"),
    );
    for (child, parent) in [(&call, &caller), (&handled, &call), (&handler, &handled)] {
        assert_eq!(child["trace_id"], parent["trace_id"]);
        assert_eq!(child["parent_span_id"], parent["span_id"]);
    }
    assert_eq!(
        (&call["kind"], &handled["kind"]),
        (&"client".into(), &"server".into())
    );
}

#[test]
fn the_code_of_a_failed_call_is_counted() {
    let (server, url, metrics) = serve();
    let client = convert(&url, "XXX");
    assert_eq!(client.code, Some(1), "{}", client.stderr);
    assert!(
        client.stderr.contains("NotFound: no rate for \"XXX\""),
        "{}",
        client.stderr
    );
    let text = get(&metrics).expect("the text");
    let line = r#"rustok_grpc_server_handled_total{code="NOT_FOUND",method="Convert",service="rates.v1.Rates"} 1"#;
    assert_lines(&text, &[line]);
    let server = server.interrupt();
    let attributes = &server.span("rates.v1.Rates/Convert")["attributes"];
    assert_eq!(attributes["rpc.response.status_code"], "NOT_FOUND");
}

#[test]
fn a_server_that_cannot_be_reached_is_unavailable() {
    let client = convert("http://127.0.0.1:1", "EUR");
    assert_eq!(client.code, Some(1), "{}", client.stderr);
    let call = client.span("rates.v1.Rates/Convert");
    assert_eq!(
        call["attributes"]["rpc.response.status_code"],
        "UNAVAILABLE"
    );
}

#[test]
fn each_program_is_shorter_than_120_lines() {
    for program in [
        include_str!("../src/bin/rustok-tonic-client.rs"),
        include_str!("../src/bin/rustok-tonic-server.rs"),
    ] {
        let lines = program.lines().count();
        assert!(lines < 120, "{lines}");
    }
}
