//! Every committed configuration is accepted by the program that it is for.

use std::path::Path;
use std::process::Command;

use xtask::stack::programs::{self, Program};
use xtask::workspace;

#[test]
fn promtool_accepts_the_prometheus_configuration() {
    let arguments = ["check", "config", "prometheus/prometheus.yml"];
    assert_accepts(Program::Promtool, &arguments);
}

#[test]
fn otelcol_accepts_the_collector_configuration() {
    let arguments = ["validate", "--config=collector/config.yaml"];
    assert_accepts(Program::Otelcol, &arguments);
}

#[test]
fn jaeger_accepts_its_configuration() {
    let arguments = ["validate", "--config=jaeger/config.yaml"];
    assert_accepts(Program::Jaeger, &arguments);
}

fn assert_accepts(program: Program, arguments: &[&str]) {
    let path = programs::path(program).expect("the program");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("validate");
    let output = Command::new(path)
        .args(arguments)
        .current_dir(workspace::root())
        // The Collector makes its storage folder while it validates; not in /var.
        .env("COLLECTOR_STORAGE_DIR", folder.join("storage"))
        .env("COLLECTOR_LOGS_FILE", folder.join("logs.jsonl"))
        .output()
        .expect("the program runs");
    assert!(
        output.status.success(),
        "{program}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
