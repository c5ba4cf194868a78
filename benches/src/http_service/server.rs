//! A process of the service.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    client::{Connection, request},
    collector::Collector,
    declared::sum_in_text,
};

/// How many traces are sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    Off,
    Tenth,
    All,
}

impl Sampling {
    /// That to compare with is the first.
    pub(super) const ALL: [Self; 3] = [Self::Off, Self::Tenth, Self::All];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Off => "telemetry off",
            Self::Tenth => "**rustok-telemetry**, 10 % of the traces",
            Self::All => "**rustok-telemetry**, all traces",
        }
    }

    fn sampler(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Off => &[("OTEL_SDK_DISABLED", "true")],
            Self::Tenth => &[
                ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "0.1"),
            ],
            Self::All => &[("OTEL_TRACES_SAMPLER", "always_on")],
        }
    }
}

/// The name of the HTTP layer's spans in the traces.
const ROOT: &str = "GET /api/products/{id}";

/// What the span metrics call the spans that every request has.
const OPERATIONS: [&str; 3] = ["http_request", "tenants.find", "catalogue.get"];

/// It is killed when it is dropped before its end.
pub(super) struct Server {
    sampling: Sampling,
    process: Child,
    address: SocketAddr,
    collector: Collector,
    folder: PathBuf,
}

impl Server {
    /// Starts it on a free port and waits until it listens.
    pub(super) fn start(sampling: Sampling) -> Self {
        let collector = Collector::start();
        let folder = format!("rustok-benches-{}-{sampling:?}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).expect("a folder for the database");
        let mut process = command(&folder.join("products.db"))
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
            .envs(sampling.sampler().iter().copied())
            .spawn()
            .expect("the service is built, beside this program");
        let told = process.stdout.take().expect("piped");
        let address = BufReader::new(told)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let address = line.strip_prefix("rustok-server: listening on http://")?;
                Some(address.parse().expect("an address"))
            });
        Self {
            sampling,
            process,
            address: address.expect("it says where it listens"),
            collector,
            folder,
        }
    }

    pub(super) fn sampling(&self) -> Sampling {
        self.sampling
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What all its threads have used up to now, in the kernel and outside of it.
    pub(super) fn processor_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()));
        let stat = stat.expect("it runs");
        // The name of the program may have spaces; what counts is behind it.
        let (_, numbers) = stat.rsplit_once(") ").expect("a name in parentheses");
        let ticks = numbers.split(' ').skip(11).take(2);
        let ticks: u64 = ticks
            .map(|number| number.parse::<u64>().expect("a number"))
            .sum();
        Duration::from_millis(ticks * 10)
    }

    /// Asserts that every request was counted, and every span arrived or is known to be lost; and that the process ends
    /// well. Returns the share of the sampled spans that were lost.
    pub(super) fn check_and_end(mut self, requests: u64) -> f64 {
        if self.sampling != Sampling::Off {
            self.assert_counted(requests);
        }
        self.end();
        match self.sampling {
            Sampling::Off => {
                assert_eq!(self.collector.spans().count(), 0, "it is off");
                0.0
            }
            Sampling::Tenth => self.assert_tenth(requests),
            Sampling::All => self.assert_all(),
        }
    }

    fn assert_counted(&self, requests: u64) {
        let mut connection = Connection::open(self.address);
        let answer = connection.ask(&request("GET", "/api/_health/metrics", ""));
        assert_eq!(answer.status, 200);
        let text = answer.text();
        let counted = sum_where(
            text,
            "rustok_http_requests_total",
            &format!("path=\"{ROUTE}\""),
        );
        assert_eq!(counted, requests, "counted");
        let spans = |operation| {
            let label = format!("operation=\"{operation}\"");
            sum_where(text, "rustok_spans_created_total", &label)
        };
        for operation in OPERATIONS {
            // There were other requests too.
            assert!(spans(operation) >= requests, "{operation}");
        }
    }

    /// By an order, as whoever runs services gives it.
    fn end(&mut self) {
        let id = self.process.id().to_string();
        let told = Command::new("kill").args(["-s", "TERM", &id]).status();
        assert!(told.expect("kill is there").success());
        let since = Instant::now();
        let status = loop {
            if let Some(status) = self.process.try_wait().expect("it is a child") {
                break status;
            }
            assert!(since.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(status.success(), "{status}");
    }

    /// Every span arrived, was counted as lost, or is open for ever: `tracing-subscriber` loses the end of a span where two
    /// threads let go of its child in the same moment, here sqlx's and tokio's, a few times in a million.
    fn assert_all(&self) -> f64 {
        let created = self.collector.last_sum("rustok_spans_created_total");
        let closed = self.collector.last_sum("rustok_span_duration_seconds");
        let lost = self.collector.last_sum("rustok_telemetry_spans_lost_total");
        let arrived = self.collector.spans().count();
        assert_eq!(
            arrived + lost,
            closed,
            "{arrived} arrived, {lost} were lost"
        );
        let open = created - closed;
        assert!(open <= 1 + created / 10_000, "{open} are open");
        lost as f64 / created as f64
    }

    /// Chance decides which; five standard deviations are allowed.
    fn assert_tenth(&self, requests: u64) -> f64 {
        let lost = self.collector.last_sum("rustok_telemetry_spans_lost_total");
        let arrived = self.collector.spans().count();
        let roots = self.collector.spans().named(ROOT);
        let share = roots as f64 / requests as f64;
        let deviation = (0.1 * 0.9 / requests as f64).sqrt();
        let lost = lost as f64 / (arrived + lost) as f64;
        let wanted = 0.1 * (1.0 - lost);
        assert!(
            (share - wanted).abs() < 5.0 * deviation + 0.1 * lost,
            "{share} of the traces"
        );
        lost
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

const ROUTE: &str = "/api/products/{id}";

/// The service, with nothing in its environment but what is said here. Nobody asks for stock, so it needs no inventory.
fn command(database: &Path) -> Command {
    let benchmarks = std::env::current_exe().expect("this program");
    let mut command = Command::new(benchmarks.with_file_name("rustok-server"));
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        if upper.starts_with("OTEL_") || upper.starts_with("RUST_") || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    for name in ["PORT", "HOST", "DATABASE_URL", "INVENTORY_URL"] {
        command.env_remove(name);
    }
    command
        .args(["--port", "0", "--inventory-url", "http://127.0.0.1:9"])
        // The rows are about what is exported; the part `console` measures the page.
        .args(["--no-console", "--tenant-cache-ttl", "86400", "--database"])
        .arg(database)
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Sum over the series of a metric that have a label.
fn sum_where(text: &str, name: &str, label: &str) -> u64 {
    let lines: Vec<_> = text.lines().filter(|line| line.contains(label)).collect();
    sum_in_text(&lines.join("\n"), name)
}
