//! The doctor against the real programs: all good, each protocol's wrong port, a Collector whose Jaeger is down, and
//! telemetry that the receiver accepts and does not pass on.

use std::process::Command;

use axum::{Router, routing::post};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use xtask::stack::{Port, Service, Stack};

use crate::support::{program, stack};

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn the_doctor_names_the_hop_that_drops_telemetry() {
    let stack = stack("doctor");
    let grpc = stack.ports().url(Port::CollectorOtlpGrpc);
    let http = stack.ports().url(Port::CollectorOtlpHttp);

    for (protocol, endpoint) in [("grpc", &grpc), ("http/protobuf", &http)] {
        let json = doctor(&stack, protocol, endpoint, "30");
        assert_eq!(json["exit_status"], 0, "{json:#}");
        for name in [
            "connect",
            "traces",
            "metrics",
            "logs",
            "jaeger",
            "prometheus",
        ] {
            assert_eq!(step(&json, name)["result"], "ok", "{json:#}");
        }
        println!("{protocol}: {}", step(&json, "prometheus")["milliseconds"]);
    }

    let json = doctor(&stack, "grpc", &http, "5");
    for name in ["traces", "metrics", "logs"] {
        assert_cause(
            &json,
            name,
            "wrong protocol: the port speaks HTTP/1.1, not gRPC",
        );
    }
    let json = doctor(&stack, "http/protobuf", &grpc, "5");
    for name in ["traces", "metrics", "logs"] {
        assert_cause(
            &json,
            name,
            "wrong protocol: the port speaks gRPC (HTTP/2), not HTTP/1.1",
        );
    }
    let json = doctor(&stack, "http/protobuf", &format!("{http}/otlp"), "5");
    assert_cause(&json, "traces", "wrong path");

    // This receiver accepts everything and passes nothing on.
    let json = doctor(&stack, "http/protobuf", &dead_end(), "3");
    assert_eq!(step(&json, "traces")["result"], "ok", "{json:#}");
    assert_cause(
        &json,
        "jaeger",
        "the Collector accepted the span, and it did not arrive in Jaeger",
    );
    // The application that Prometheus should scrape does not run, which is no fault of the Collector.
    assert_cause(
        &json,
        "prometheus",
        "the Collector accepted the counter, and it did not arrive in Prometheus",
    );

    let status = stack.status();
    let mut jaeger = status.iter().filter(|one| one.service == Service::Jaeger);
    let pid = jaeger
        .next()
        .and_then(|jaeger| jaeger.pid)
        .expect("Jaeger runs");
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), Signal::KILL).expect("the signal is sent");
    let json = doctor(&stack, "grpc", &grpc, "30");
    assert_eq!(json["exit_status"], 1, "{json:#}");
    assert_eq!(step(&json, "traces")["result"], "ok", "{json:#}");
    assert_cause(
        &json,
        "jaeger",
        "the Collector accepted the span, and Jaeger is down",
    );
    assert_eq!(step(&json, "prometheus")["result"], "ok", "{json:#}");
}

/// A receiver that answers as a Collector does.
fn dead_end() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a setting");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            let routes = Router::new().route("/v1/{signal}", post(|| async {}));
            axum::serve(listener, routes).await
        })
    });
    url
}

/// What the doctor prints, as JSON.
fn doctor(stack: &Stack, protocol: &str, endpoint: &str, wait: &str) -> Value {
    let mut command = Command::new(program("rustok-telemetry-doctor"));
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        if upper.starts_with("OTEL_") || upper.ends_with("_PROXY") || upper == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    let output = command
        .args(["--json", "--wait", wait])
        .args(["--jaeger", &stack.ports().url(Port::JaegerQuery)])
        .args(["--prometheus", &stack.ports().url(Port::Prometheus)])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        .env("OTEL_LOGS_EXPORTER", "otlp")
        .output()
        .expect("the doctor runs");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn step<'json>(json: &'json Value, name: &str) -> &'json Value {
    let mut steps = json["check"]["steps"].as_array().expect("steps").iter();
    let step = steps.find(|step| step["step"] == name);
    step.unwrap_or_else(|| panic!("no step {name}: {json:#}"))
}

#[track_caller]
fn assert_cause(json: &Value, name: &str, cause: &str) {
    let failed = step(json, name);
    let told = failed["cause"].as_str().unwrap_or_default();
    assert!(told.contains(cause), "{failed:#}");
    println!(
        "{name}: {}\n  {told}\n  {}",
        failed["seen"], failed["remedy"]
    );
}
