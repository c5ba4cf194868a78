//! The service as a process, and requests to it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The service at a free port; it is killed when this is dropped.
pub(crate) struct Running {
    process: Child,
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address").to_string();
        drop(free);
        let process = Command::new(env!("CARGO_BIN_EXE_rustok-minimal"))
            .arg(&address)
            .envs([
                ("OTEL_TRACES_EXPORTER", "none"),
                ("OTEL_METRICS_EXPORTER", "prometheus"),
            ])
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let running = Self { process, address };
        let started = Instant::now();
        // No route: it is not counted under one.
        while get(&format!("http://{}/api/_health/live", running.address)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "it listens");
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the status and the headers, one a line, and the body.
pub(crate) fn get(url: &str) -> Result<(String, String), ureq::Error> {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .new_agent();
    let mut response = agent.get(url).call()?;
    let mut head = response.status().to_string();
    for (name, value) in response.headers() {
        head.push_str(&format!("\n{name}: {}", value.to_str().unwrap_or_default()));
    }
    Ok((head, response.body_mut().read_to_string()?))
}
