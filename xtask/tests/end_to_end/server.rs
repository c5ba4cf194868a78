//! The reference service as a user starts it: the program, with `OTEL_*` in its environment.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use xtask::stack::{Port, Ports, Stack};

use crate::support::program;

/// A tenant that the service knows from its start.
pub(crate) const TENANT: &str = "acme";

/// A running service.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    pub(crate) instance: String,
    exit_metrics: PathBuf,
}

/// How telemetry travels to the Collector.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    Grpc,
    Http,
}

impl Server {
    /// Starts the service with a database of its own in `folder`, pushing to `stack` every second. It listens on a free
    /// port unless the arguments name one.
    pub(crate) fn start(
        stack: &Stack,
        folder: &Path,
        instance: &str,
        protocol: Protocol,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let ports = stack.ports();
        Self::start_at(ports, folder, instance, protocol, arguments, variables)
    }

    /// The same, pushing to the Collector of these ports, unless `variables` say otherwise.
    pub(crate) fn start_at(
        ports: &Ports,
        folder: &Path,
        instance: &str,
        protocol: Protocol,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let (port, protocol) = match protocol {
            Protocol::Grpc => (Port::CollectorOtlpGrpc, "grpc"),
            Protocol::Http => (Port::CollectorOtlpHttp, "http/protobuf"),
        };
        let exit_metrics = folder.join(format!("{instance}.txt"));
        let mut command = Command::new(program("rustok-server"));
        // Nothing of the developer's own settings.
        for (name, _) in std::env::vars_os() {
            let name_of = name.to_string_lossy().to_ascii_uppercase();
            let own = ["INVENTORY_URL", "DATABASE_URL", "PORT", "HOST", "RUST_LOG"];
            if name_of.starts_with("OTEL_")
                || name_of.ends_with("_PROXY")
                || own.contains(&&*name_of)
            {
                command.env_remove(name);
            }
        }
        if !arguments.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        let mut process = command
            .arg("--database")
            .arg(folder.join(format!("{instance}.db")))
            .arg("--metrics-on-exit")
            .arg(&exit_metrics)
            .args(arguments)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", ports.url(port))
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
            .env(
                "OTEL_RESOURCE_ATTRIBUTES",
                format!("service.instance.id={instance}"),
            )
            .env("OTEL_METRIC_EXPORT_INTERVAL", "1000")
            .env("OTEL_BSP_SCHEDULE_DELAY", "500")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let stdout = process.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let url = lines
            .find_map(|line| {
                line.strip_prefix("rustok-server: listening on ")
                    .map(str::to_owned)
            })
            .expect("the service says where it listens");
        // What it says further is of no interest, but somebody has to read it.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            url: url.trim_end_matches('/').to_owned(),
            instance: instance.to_owned(),
            exit_metrics,
        }
    }

    /// Lets the Prometheus of the stack scrape it.
    pub(crate) fn is_scraped_by(&self, stack: &Stack) {
        let address = self.url.trim_start_matches("http://");
        let written = stack.scrape_service("rustok-server", address);
        written.expect("the target file is written");
    }

    /// The text of the metrics endpoint.
    pub(crate) fn text(&self) -> String {
        let (status, text) = self.request("GET", "/api/_health/metrics", None, &[]);
        assert_eq!(status, 200, "{text}");
        text
    }

    /// Sends a request; gives the status and the body.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        json: Option<&str>,
        headers: &[(&str, &str)],
    ) -> (u16, String) {
        let agent = agent();
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("x-tenant-id", TENANT);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = match json {
            Some(json) => agent.run(
                request
                    .header("content-type", "application/json")
                    .body(json.to_owned())
                    .expect("a request"),
            ),
            None => agent.run(request.body(()).expect("a request")),
        }
        .expect("an answer");
        let body = response.body_mut().read_to_string().expect("text");
        (response.status().as_u16(), body)
    }

    /// Adds a product, and orders one of it within the caller's trace; gives the order's status and body.
    pub(crate) fn order_a_lamp(&self, trace: &str) -> (u16, String) {
        let lamp = r#"{"name": "Trace lamp", "sku": "lamp-1", "price_cents": 4200}"#;
        let (status, body) = self.request("POST", "/api/products", Some(lamp), &[]);
        assert_eq!(status, 201, "{body}");
        let lamp: Value = serde_json::from_str(&body).expect("JSON");
        let order = format!("{{\"product_id\": {}, \"quantity\": 1}}", lamp["id"]);
        let caller = format!("00-{trace}-b7ad6b7169203331-01");
        let headers = [("traceparent", caller.as_str())];
        self.request("POST", "/api/orders", Some(&order), &headers)
    }

    /// Asks the service to stop, as an orchestrator does, and gives its last text.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + Duration::from_secs(30);
        let status = loop {
            if let Some(status) = self.process.try_wait().expect("it is a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "the service does not stop");
            std::thread::sleep(Duration::from_millis(50));
        };
        let text = std::fs::read_to_string(&self.exit_metrics).expect("the last text");
        (status, text)
    }

    /// Ends the process at once, without a last export.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::KILL);
        self.process.wait().expect("it is a child");
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw);
        kill_process(pid.expect("a process id"), signal).expect("the signal is sent");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where the test stopped it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client that speaks to this machine only.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .new_agent()
}
