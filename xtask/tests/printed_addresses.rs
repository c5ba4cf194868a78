//! What `cargo xtask` prints as an address answers, with something to look at.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustok_telemetry::metrics::catalogue;
use xtask::stack::query::prometheus_query_at;
use xtask::stack::{Port, Stack};

/// The service is built by `demo`, which takes minutes where nothing has built it before.
const LIMIT: Duration = Duration::from_secs(600);
/// What `demo` prints for pages; the last four of them when the service answers and its telemetry has arrived.
const PAGES: [&str; 8] = [
    "Prometheus",
    "Jaeger",
    "Collector",
    "VictoriaMetrics",
    "service",
    "console",
    "in Prometheus",
    "in Jaeger",
];
/// What says where services send to.
const SETTING: &str = "OTEL_EXPORTER_OTLP_ENDPOINT=";

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn what_demo_prints_answers_when_it_is_printed() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("printed");
    if let Ok(Some(stack)) = Stack::find(&dir) {
        stack.down().expect("the stack of an earlier run stops");
    }
    // `demo` keeps data, and that of an earlier run would be found before the service answers.
    let _ = std::fs::remove_dir_all(&dir);
    let mut demo = Demo::start(&dir);
    let (mut pages, mut endpoints) = (Vec::new(), 0);
    while pages.len() < PAGES.len() {
        let line = demo.line();
        // The service writes lines of its own.
        let Some(line) = line.strip_prefix("  ") else {
            continue;
        };
        if let Some(endpoint) = line.strip_prefix(SETTING) {
            match endpoint.split_once(' ') {
                Some((endpoint, protocol)) => {
                    assert_eq!(protocol, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc");
                    accepts(endpoint);
                }
                None => takes_traces_by_default(endpoint),
            }
            endpoints += 1;
        } else if let Some((name, url)) = line.split_once("http://") {
            let (name, url) = (name.trim(), format!("http://{url}"));
            let text = shows_something(&url);
            if name == "VictoriaMetrics" {
                assert!(text.contains("<title>vmui</title>"), "{url}: {text}");
            }
            pages.push(name.to_owned());
        }
    }
    assert_eq!(endpoints, 2);
    assert_eq!(pages[..5], PAGES[..5], "the service's when it answers");
    pages.sort();
    let mut expected = PAGES;
    expected.sort_unstable();
    assert_eq!(pages, expected);
    // By status too.
    let status = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["stack", "status", "--dir"])
        .arg(&dir)
        .output()
        .expect("xtask runs");
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    let pages: Vec<_> = status
        .split_whitespace()
        .filter(|word| word.starts_with("http://"))
        .collect();
    assert_eq!(pages.len(), 4, "{status}");
    for page in pages {
        shows_something(page);
    }
    let stack = Stack::find(&dir).expect("state").expect("a stack");
    has_a_declared_metric(&stack.ports().url(Port::VictoriaMetrics));
    demo.end();
}

/// The metric has its declared name in VictoriaMetrics too, whose queries are those of its page.
fn has_a_declared_metric(url: &str) {
    let name = "rustok_http_requests_total";
    assert!(catalogue().iter().any(|metric| metric.name == name));
    let query = format!("{name}{{job=\"rustok-server\"}} > 0");
    let deadline = Instant::now() + Duration::from_secs(30);
    while prometheus_query_at(url, &query)
        .expect("an answer")
        .is_empty()
    {
        assert!(Instant::now() < deadline, "{url} has no {query}");
        sleep(Duration::from_millis(200));
    }
}

/// Status 200, and content that is no placeholder.
fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .build()
        .new_agent()
}

/// The default protocol of the library is HTTP.
fn takes_traces_by_default(endpoint: &str) {
    let url = format!("{endpoint}/v1/traces");
    let request = agent()
        .post(&url)
        .content_type("application/x-protobuf")
        .send_empty();
    let answer = request.unwrap_or_else(|error| panic!("{url}: {error}"));
    assert_eq!(answer.status(), 200, "{url}");
}

fn shows_something(url: &str) -> String {
    let mut answer = agent()
        .get(url)
        .call()
        .unwrap_or_else(|error| panic!("{url}: {error}"));
    let text = answer.body_mut().read_to_string().expect("text");
    assert_eq!(answer.status(), 200, "{url}: {text}");
    assert!(!text.trim().is_empty(), "{url}");
    assert!(!text.contains("This is not the Jaeger UI"), "{url}");
    text
}

fn accepts(endpoint: &str) {
    let address = endpoint.trim_start_matches("http://");
    TcpStream::connect(address).unwrap_or_else(|error| panic!("{endpoint}: {error}"));
}

/// `cargo xtask demo`, which is stopped when it is dropped.
struct Demo {
    process: Child,
    lines: Receiver<String>,
    began: Instant,
}

impl Demo {
    fn start(dir: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["demo", "--free-ports", "--dir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .expect("xtask starts");
        let stdout = BufReader::new(process.stdout.take().expect("a pipe"));
        let (send, lines) = channel();
        spawn(move || {
            let lines = stdout.lines().map_while(Result::ok);
            lines.for_each(|line| drop(send.send(line)));
        });
        let began = Instant::now();
        Self {
            process,
            lines,
            began,
        }
    }

    fn line(&self) -> String {
        let left = LIMIT.saturating_sub(self.began.elapsed());
        self.lines
            .recv_timeout(left)
            .expect("another line, in time")
    }

    /// As Ctrl-C does.
    fn end(&mut self) {
        self.interrupt();
        let status = self.process.wait().expect("it is a child");
        assert!(status.success(), "{status}");
    }

    fn interrupt(&self) {
        let pid = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw);
        // It may have ended by itself.
        let _ = kill_process(pid.expect("a process id"), Signal::INT);
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // So that it takes the stack down, also when the test fails.
        if matches!(self.process.try_wait(), Ok(None)) {
            self.interrupt();
            let _ = self.process.wait();
        }
    }
}
