//! Every committed configuration is accepted by the program that it is for.

use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::stack::programs::{self, Program};
use xtask::workspace;

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn promtool_accepts_the_prometheus_configuration() {
    let arguments = ["check", "config", "prometheus/prometheus.yml"];
    assert_accepts(Program::Promtool, &arguments);
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn otelcol_accepts_the_collector_configuration() {
    let arguments = ["validate", "--config=collector/config.yaml"];
    assert_accepts(Program::Otelcol, &arguments);
}

/// What the overlay names has to be there.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn otelcol_accepts_the_configuration_with_overlays() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("validate_overlays");
    std::fs::create_dir_all(&folder).expect("a folder");
    let issued =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (folder.join("one.pem"), folder.join("one.key"));
    std::fs::write(&certificate, issued.cert.pem()).expect("a file");
    std::fs::write(&key, issued.signing_key.serialize_pem()).expect("a file");
    let token = folder.join("token");
    std::fs::write(&token, "one\n").expect("a file");
    let variables = [
        ("COLLECTOR_TOKEN_FILE", &token),
        ("COLLECTOR_REPLICA", &PathBuf::from("a")),
        ("COLLECTOR_TLS_CERTIFICATE", &certificate),
        ("COLLECTOR_TLS_KEY", &key),
        ("COLLECTOR_TLS_CLIENT_AUTHORITY", &certificate),
    ];
    for overlays in [
        &["tls"][..],
        &["mtls"],
        &["bearer-token"],
        &["debug"],
        &["remote-write"],
        &["remote-write", "remote-write-replica"],
        &["tls", "bearer-token"],
        &["mtls", "bearer-token", "remote-write"],
        &["mtls", "bearer-token", "debug"],
    ] {
        let files = overlays
            .iter()
            .map(|name| format!("--config=collector/overlays/{name}.yaml"));
        let files: Vec<_> = [
            "validate".to_owned(),
            "--config=collector/config.yaml".to_owned(),
        ]
        .into_iter()
        .chain(files)
        .collect();
        let arguments: Vec<_> = files.iter().map(String::as_str).collect();
        assert_accepts_with(Program::Otelcol, &arguments, &variables);
    }
}

/// Agents and gateways: `collector/<base>.yaml`, with overlays.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn otelcol_accepts_both_tiers_with_their_overlays() {
    let text = |value: &str| PathBuf::from(value);
    let variables = [
        ("COLLECTOR_GATEWAYS_NAME", &text("gateways.observability")),
        ("SAMPLING_OPERATIONS", &text("(GET|HEAD) /(ping|health)")),
        ("SAMPLING_TENANTS", &text("[acme, globex]")),
        (
            "COLLECTOR_KAFKA_BROKERS",
            &text("[kafka-0:9092, kafka-1:9092]"),
        ),
        ("COLLECTOR_KAFKA_USER", &text("telemetry")),
        ("COLLECTOR_KAFKA_PASSWORD", &text("secret")),
        ("COLLECTOR_GATEWAY", &text("gateway-0")),
    ];
    let gateway = ["config", "gateway"];
    for (base, overlays) in [
        (&["agent"][..], &[][..]),
        (&["agent"], &["gateways-dns"]),
        (&["agent"], &["kafka-agent"]),
        (&["agent"], &["gateways-dns", "kafka-agent", "kafka-sasl"]),
        (&gateway, &[]),
        (&gateway, &["kafka-gateway"]),
        (&gateway, &["kafka-gateway", "kafka-sasl"]),
        (
            &gateway,
            &["kafka-gateway", "remote-write", "remote-write-gateway"],
        ),
    ] {
        let base = base.iter().map(|name| format!("collector/{name}.yaml"));
        let overlays = overlays
            .iter()
            .map(|name| format!("collector/overlays/{name}.yaml"));
        let files = base.chain(overlays).map(|file| format!("--config={file}"));
        let files: Vec<_> = ["validate".to_owned()].into_iter().chain(files).collect();
        let arguments: Vec<_> = files.iter().map(String::as_str).collect();
        assert_accepts_with(Program::Otelcol, &arguments, &variables);
    }
}

/// It refuses a key that it does not know. Badger and memory are run by other tests, Cassandra and OpenSearch by `cargo
/// xtask scale jaeger`.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn jaeger_accepts_its_configuration_with_each_storage() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("validate_jaeger");
    std::fs::create_dir_all(&folder).expect("a folder");
    let authority = folder.join("authority.pem");
    let issued =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&authority, issued.cert.pem()).expect("a file");
    let name = PathBuf::from("jaeger");
    let mut variables = vec![("JAEGER_STORAGE_DIR", &folder)];
    for (user, password, file) in JAEGER_VARIABLES {
        variables.extend([(user, &name), (password, &name)]);
        variables.extend(file.map(|file| (file, &authority)));
    }
    let mut seen = 0;
    for entry in std::fs::read_dir(workspace::root().join("jaeger/backends")).expect("a folder") {
        let storage = entry.expect("an entry").path();
        let storage = format!("--config={}", storage.display());
        let both = ["validate", "--config=jaeger/config.yaml", &storage];
        for role in [
            &[][..],
            &["--config=jaeger/collector.yaml"],
            &["--config=jaeger/query.yaml"],
        ] {
            let arguments = [&both[..], role].concat();
            assert_accepts_with(Program::Jaeger, &arguments, &variables);
        }
        seen += 1;
    }
    assert_eq!(seen, 6);
}

/// User, password, and the file of the authority, of each server.
const JAEGER_VARIABLES: [(&str, &str, Option<&str>); 4] = [
    (
        "JAEGER_ELASTICSEARCH_USER",
        "JAEGER_ELASTICSEARCH_PASSWORD",
        Some("JAEGER_ELASTICSEARCH_CA_FILE"),
    ),
    (
        "JAEGER_OPENSEARCH_USER",
        "JAEGER_OPENSEARCH_PASSWORD",
        Some("JAEGER_OPENSEARCH_CA_FILE"),
    ),
    (
        "JAEGER_CASSANDRA_USER",
        "JAEGER_CASSANDRA_PASSWORD",
        Some("JAEGER_CASSANDRA_CA_FILE"),
    ),
    ("JAEGER_CLICKHOUSE_USER", "JAEGER_CLICKHOUSE_PASSWORD", None),
];

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
