//! The program as a newcomer starts it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(url: &str) -> Result<(u16, String), ureq::Error> {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .new_agent();
    let mut response = agent.get(url).call()?;
    let body = response.body_mut().read_to_string()?;
    Ok((response.status().as_u16(), body))
}

#[test]
fn conversions_are_served_and_recorded() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = free.local_addr().expect("an address").to_string();
    drop(free);
    let program = Command::new(env!("CARGO_BIN_EXE_rustok-minimal"))
        .arg(&address)
        .envs([
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "prometheus"),
        ])
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let _running = Running(program);
    let url = format!("http://{address}");
    let started = Instant::now();
    while get(&url).is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "it listens");
        std::thread::sleep(Duration::from_millis(50));
    }

    let (status, body) = get(&format!("{url}/fahrenheit/20")).expect("an answer");
    assert_eq!((status, body.as_str()), (200, "68 °F\n"));
    let (status, _) = get(&format!("{url}/fahrenheit/-300")).expect("an answer");
    assert_eq!(status, 422);

    let (_, text) = get(&format!("{url}/api/_health/metrics")).expect("the text");
    for line in [
        r#"rustok_http_requests_total{method="GET",path="/fahrenheit/{celsius}",status="200"} 1"#,
        r#"rustok_http_requests_total{method="GET",path="/fahrenheit/{celsius}",status="422"} 1"#,
        r#"rustok_module_errors_total{error_type="below_absolute_zero",module="conversion",severity="error"} 1"#,
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
}

/// Rust prints an error that `main` returns by its `Debug`.
#[test]
fn fourteen_invalid_settings_are_fourteen_lines() {
    let wrong = [
        ("OTEL_SDK_DISABLED", "yes"),
        ("OTEL_SERVICE_NAME", " "),
        ("OTEL_RESOURCE_ATTRIBUTES", "team"),
        ("OTEL_PROPAGATORS", "tracecontxt"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_METRICS_EXPORTER", "none,otlp"),
        ("OTEL_LOGS_EXPORTER", "file"),
        ("OTEL_BSP_SCHEDULE_DELAY", "5s"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1m"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key hunter2"),
    ];
    let output = Command::new(env!("CARGO_BIN_EXE_rustok-minimal"))
        .envs(wrong)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).expect("text");
    let mut lines = said.lines();
    let heading = "Error: 14 errors in the configuration:";
    assert_eq!(lines.next(), Some(heading), "{said}");
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), wrong.len(), "{said}");
    for (name, _) in wrong {
        let of_name = |line: &&&str| line.starts_with(&format!("{name}="));
        assert_eq!(lines.iter().filter(of_name).count(), 1, "{name}: {said}");
    }
    for of_debug in ["ConfigError", "Problem {", "Some(", "hunter2"] {
        assert!(!said.contains(of_debug), "{of_debug}: {said}");
    }
}

#[test]
fn the_example_is_shorter_than_forty_lines() {
    let lines = include_str!("../src/main.rs").lines().count();
    assert!(lines < 40, "{lines}");
}
