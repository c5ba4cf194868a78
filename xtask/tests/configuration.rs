//! Every committed configuration is accepted by the program that it is for.

use std::path::{Path, PathBuf};
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

/// What the overlay names has to be there.
#[test]
fn otelcol_accepts_the_configuration_with_mtls() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("validate_mtls");
    std::fs::create_dir_all(&folder).expect("a folder");
    let issued =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (folder.join("one.pem"), folder.join("one.key"));
    std::fs::write(&certificate, issued.cert.pem()).expect("a file");
    std::fs::write(&key, issued.signing_key.serialize_pem()).expect("a file");
    let arguments = [
        "validate",
        "--config=collector/config.yaml",
        "--config=collector/overlays/mtls.yaml",
    ];
    let variables = [
        ("COLLECTOR_TLS_CERTIFICATE", &certificate),
        ("COLLECTOR_TLS_KEY", &key),
        ("COLLECTOR_TLS_CLIENT_AUTHORITY", &certificate),
    ];
    assert_accepts_with(Program::Otelcol, &arguments, &variables);
}

#[test]
fn jaeger_accepts_its_configuration() {
    let arguments = ["validate", "--config=jaeger/config.yaml"];
    assert_accepts(Program::Jaeger, &arguments);
}

fn assert_accepts(program: Program, arguments: &[&str]) {
    assert_accepts_with(program, arguments, &[]);
}

fn assert_accepts_with(program: Program, arguments: &[&str], variables: &[(&str, &PathBuf)]) {
    let path = programs::path(program).expect("the program");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("validate");
    let output = Command::new(path)
        .args(arguments)
        .current_dir(workspace::root())
        // The Collector makes its storage folder while it validates; not in /var.
        .env("COLLECTOR_STORAGE_DIR", folder.join("storage"))
        .env("COLLECTOR_LOGS_FILE", folder.join("logs.jsonl"))
        .envs(variables.iter().copied())
        .output()
        .expect("the program runs");
    assert!(
        output.status.success(),
        "{program}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
