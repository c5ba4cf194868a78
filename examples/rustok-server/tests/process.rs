//! How the process starts, refuses to start, and stops.

mod common;

use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use common::{Server, run, run_with, scratch, text};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn sigterm_and_sigint_stop_it_with_status_0() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&[]);
        server.signal(signal);
        assert_eq!(server.wait(SOON).code(), Some(0), "{signal}");
        assert!(
            ends_in_time(&server.inventory),
            "the inventory outlives it after {signal}"
        );
    }
}

#[test]
fn the_inventory_ends_even_if_the_service_is_killed() {
    let mut server = Server::start(&[]);
    assert!(!is_free(&server.inventory));
    server.signal("KILL");
    server.wait(SOON);
    assert!(ends_in_time(&server.inventory));
}

#[test]
fn a_port_in_use_is_named() {
    let first = Server::start(&[]);
    let (status, said) = run(&["--port", first.port(), "--database", text(&scratch("x.db"))]);
    assert_eq!(status, Some(69), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains(first.port()) && said.contains("in use"),
        "{said}"
    );
}

#[test]
fn a_read_only_database_file_is_rejected() {
    let file = scratch("read-only.db");
    fs::write(&file, "").expect("the file can be made");
    fs::set_permissions(&file, Permissions::from_mode(0o444)).expect("permissions can be set");
    let (status, said) = run(&["--port", "0", "--database", text(&file)]);
    assert_eq!(status, Some(74), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("read-only.db") && said.contains("is read-only"),
        "{said}"
    );
}

#[test]
fn a_file_that_is_not_a_database_is_rejected() {
    let file = scratch("letter.txt");
    fs::write(&file, "Dear reader, this is no database. ".repeat(100)).expect("a file");
    let (status, said) = run(&["--port", "0", "--database", text(&file)]);
    assert_eq!(status, Some(74), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("letter.txt") && said.contains("not a database"),
        "{said}"
    );
}

#[test]
fn invalid_settings_are_rejected() {
    let (status, said) = run(&[
        "--database",
        "mysql://db/shop",
        "--inventory-url",
        "nonsense",
    ]);
    assert_eq!(status, Some(78), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains("`mysql://` is not supported"), "{said}");
    assert!(
        said.contains("from --database") && said.contains("nonsense"),
        "{said}"
    );
}

#[test]
fn an_unwritable_metrics_file_fails_the_start() {
    let file = scratch("missing").join("metrics.txt");
    let database = scratch("x.db");
    let args = [
        "--port",
        "0",
        "--database",
        text(&database),
        "--metrics-on-exit",
        text(&file),
    ];
    let (status, said) = run(&args);
    assert_eq!(status, Some(74), "{said}");
    assert!(said.contains("metrics can't be written"), "{said}");
}

#[test]
fn an_unreachable_database_is_named_without_password() {
    let url = "postgres://shop:secret@127.0.0.1:1/shop";
    let (status, said) = run(&["--port", "0", "--database", url]);
    assert_eq!(status, Some(69), "{said}");
    assert!(
        said.contains("127.0.0.1:1") && !said.contains("secret"),
        "{said}"
    );
}

fn ends_in_time(url: &str) -> bool {
    let until = Instant::now() + SOON;
    while Instant::now() < until {
        if is_free(url) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

fn is_free(url: &str) -> bool {
    TcpStream::connect(url.trim_start_matches("http://")).is_err()
}

#[test]
fn an_invalid_endpoint_is_reported_in_one_line() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317");
    let (status, said) = run_with(
        &["--port", "0", "--database", text(&scratch("x.db"))],
        &[endpoint],
    );
    assert_eq!(status, Some(78), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317"),
        "{said}"
    );
    assert!(said.contains("write http://collector:4317"), "{said}");
}

/// Both processes export, nothing answers, and it is said once; the service works, and ends well.
#[test]
fn an_unreachable_collector_is_logged_once() {
    let file = scratch("metrics.txt");
    let database = scratch("x.db");
    let arguments = [
        "--port",
        "0",
        "--traffic-seconds",
        "8",
        "--metrics-on-exit",
        text(&file),
        "--database",
        text(&database),
    ];
    let variables = [
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "500"),
        ("RUST_LOG", "info"),
    ];
    let (status, said) = run_with(&arguments, &variables);
    assert_eq!(status, Some(0), "{said}");
    let told = said
        .lines()
        .filter(|line| line.contains("exporting ") && line.contains(" failed: "));
    assert_eq!(told.count(), 1, "{said}");
    assert!(said.contains("Connection refused"), "{said}");
    let metrics = fs::read_to_string(&file).expect("the metrics are written");
    assert!(
        metrics.contains("rustok_telemetry_spans_lost_total{reason=\"export_failed\"}"),
        "{metrics}"
    );
}

#[test]
fn two_instances_can_share_a_new_database() {
    for _ in 0..3 {
        let database = scratch("two.db");
        let start = || {
            let database = database.clone();
            std::thread::spawn(move || {
                run(&[
                    "--port",
                    "0",
                    "--traffic-seconds",
                    "1",
                    "--database",
                    text(&database),
                ])
            })
        };
        for instance in [start(), start()] {
            let (status, said) = instance.join().expect("no panic");
            assert_eq!(status, Some(0), "{said}");
        }
    }
}

#[test]
fn an_excessive_cache_ttl_is_rejected() {
    let (status, said) = run(&["--tenant-cache-ttl", "99999999999"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("--tenant-cache-ttl"), "{said}");
}

#[test]
fn ten_invalid_variables_are_reported_at_once() {
    let variables = [
        ("OTEL_SDK_DISABLED", "yes"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=web,region"),
        ("OTEL_PROPAGATORS", "tracecontxt"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_EXPORTER", "olpt"),
        ("OTEL_BSP_SCHEDULE_DELAY", "5s"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key hunter2"),
        ("OTEL_SERVCIE_NAME", "shop"),
    ];
    let database = scratch("x.db");
    let arguments = ["--port", "0", "--database", text(&database)];
    let (status, said) = run_with(&arguments, &variables);
    assert_eq!(status, Some(78), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 11, "a heading and ten problems:\n{said}");
    assert!(
        lines[0].ends_with(": 10 errors in the configuration:"),
        "{said}"
    );
    for (name, _) in variables {
        let told = lines
            .iter()
            .filter(|line| line.starts_with(&format!("rustok-server: {name}")));
        assert_eq!(told.count(), 1, "{name}:\n{said}");
    }
    assert!(said.contains("did you mean OTEL_SERVICE_NAME?"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn without_strict_mode_invalid_variables_are_warnings() {
    let variables = [
        ("RUSTOK_TELEMETRY_STRICT", "false"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1m"),
        ("OTEL_CONFIG_FIEL", "x.yaml"),
        ("RUST_LOG", "rustok_server=loud"),
    ];
    let database = scratch("x.db");
    let arguments = [
        "--port",
        "0",
        "--traffic-seconds",
        "1",
        "--database",
        text(&database),
    ];
    let (status, said) = run_with(&arguments, &variables);
    assert_eq!(status, Some(0), "{said}");
    for (name, _) in &variables[1..] {
        let told = said
            .lines()
            .filter(|line| line.contains("WARN") && line.contains(&format!(" {name}")));
        // The inventory, which is another process, has the same environment.
        assert_eq!(told.count(), 2, "{name}:\n{said}");
    }
}
