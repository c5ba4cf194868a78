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
fn it_converts_and_tells_of_it() {
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

#[test]
fn it_is_shorter_than_forty_lines() {
    let lines = include_str!("../src/main.rs").lines().count();
    assert!(lines < 40, "{lines}");
}
