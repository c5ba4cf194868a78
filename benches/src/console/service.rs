//! A small service in a process of its own, and a thread in it that records.

use std::{
    fs,
    net::SocketAddr,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use axum::{Router, extract::Path, routing};
use rustix::time::ClockId;
use rustok_telemetry::{
    config::TelemetryConfig,
    console::Console,
    http::{TelemetryLayer, health_routes},
};
use tokio::net::TcpListener;

use super::load::ROUTE;
use crate::{
    child::Child,
    client::{Connection, get},
    collector::Collector,
    declared::{metrics, sum_in_text},
    label_sets::LabelSets,
    rounds::{clock, processor_time, quantile},
};

/// The parent's end.
pub(super) struct Service {
    child: Child,
    address: SocketAddr,
}

/// What the service says of a round.
#[derive(Debug)]
pub(super) struct Round {
    /// Of all its threads but the one that records.
    pub(super) processor: Duration,
    /// Microseconds of a batch: p50, p99, p99.9.
    pub(super) records: [f64; 3],
    /// Megabytes.
    pub(super) resident: f64,
}

impl Service {
    pub(super) fn start(with_console: bool) -> Self {
        let service = if with_console { "on" } else { "off" };
        // Writes a line for each request.
        let mut child = Child::start(
            &["console", "--service-with-console", service],
            Stdio::null(),
        );
        // It receives until this program ends.
        let address = child.ask(&Collector::start().endpoint());
        Self {
            child,
            address: address.parse().expect("an address"),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn begin(&mut self) {
        self.child.ask("begin");
    }

    pub(super) fn end_round(&mut self) -> Round {
        let answer = self.child.ask("end");
        let numbers = answer
            .split(' ')
            .map(|number| number.parse().expect("a number"));
        let numbers: Vec<f64> = numbers.collect();
        let [processor, p50, p99, p999, resident] = numbers[..] else {
            panic!("five numbers, not {answer}");
        };
        Round {
            processor: Duration::from_secs_f64(processor),
            records: [p50, p99, p999],
            resident,
        }
    }

    /// How many requests it has answered.
    pub(super) fn served(&mut self) -> u64 {
        self.child.ask("served").parse().expect("a number")
    }

    /// How many requests its metrics have.
    pub(super) fn counted(&self, connection: &mut Connection) -> u64 {
        let answer = connection.ask(&get("/api/_health/metrics"));
        assert_eq!(answer.status, 200);
        let path = format!("path=\"{ROUTE}\"");
        let lines = answer.text().lines().filter(|line| line.contains(&path));
        sum_in_text(
            &lines.collect::<Vec<_>>().join("\n"),
            "rustok_http_requests_total",
        )
    }

    pub(super) fn stop(mut self) {
        self.child.ask("stop");
        self.child.assert_ends();
    }
}

/// Runs the service until the benchmark stops it.
pub(crate) fn serve(with_console: bool) {
    let mut orders = std::io::stdin().lines().map(|order| order.expect("text"));
    let endpoint = orders.next().expect("the address of a Collector");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_on"),
        ("RUST_LOG", "info"),
    ];
    let config = TelemetryConfig::from_vars(variables).expect("a valid configuration");
    let builder = rustok_telemetry::builder().config(config);
    let builder = match with_console {
        true => builder.console(Console::new()),
        false => builder,
    };
    let telemetry = builder.init().expect("it starts");
    let sets = Arc::new(LabelSets::new([100, 100]));
    sets.iter()
        .for_each(|(_, [event_type, tenant])| metrics::count_many(event_type, tenant));

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let served = Arc::<AtomicU64>::default();
    println!("{}", runtime.block_on(listen(Arc::clone(&served))));
    let mut recording = None;
    for order in orders {
        match order.as_str() {
            "begin" => {
                recording = Some((Recorder::start(&sets), processor_time()));
                println!("it records");
            }
            "end" => {
                let (recorder, before) = recording.take().expect("a round has begun");
                let (times, own) = recorder.stop();
                let processor = processor_time() - before - own;
                let [p50, p99, p999] = [500, 990, 999]
                    .map(|per_mille| quantile(&times, per_mille).as_secs_f64() * 1e6);
                let (processor, resident) = (processor.as_secs_f64(), resident_megabytes());
                println!("{processor} {p50} {p99} {p999} {resident}");
            }
            "served" => println!("{}", served.load(Ordering::Relaxed)),
            _ => break,
        }
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(telemetry);
    println!("it has stopped");
}

async fn listen(served: Arc<AtomicU64>) -> SocketAddr {
    let product = async move |Path(id): Path<u32>| {
        served.fetch_add(1, Ordering::Relaxed);
        let name = find(id);
        tracing::info!(product = id, "product found");
        name
    };
    let routes = Router::new()
        .route(ROUTE, routing::get(product))
        .merge(health_routes())
        .layer(TelemetryLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, routes).into_future());
    address
}

#[rustok_telemetry::instrument(name = "catalogue.find")]
fn find(id: u32) -> String {
    format!("product {id}")
}

/// Records that are timed together, since one alone is about as short as a reading of the clock.
const BATCH: usize = 16;

/// A thread that makes a batch of records every millisecond.
struct Recorder {
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<(Vec<Duration>, Duration)>,
}

impl Recorder {
    fn start(sets: &Arc<LabelSets>) -> Self {
        let stopped = Arc::<AtomicBool>::default();
        let (sets, stop) = (Arc::clone(sets), Arc::clone(&stopped));
        let thread = thread::spawn(move || {
            let mut times = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(1));
                let first = times.len() * BATCH;
                let started = Instant::now();
                for visit in first..first + BATCH {
                    let (_, [event_type, tenant]) = sets.visit(visit);
                    metrics::count_many(event_type, tenant);
                }
                times.push(started.elapsed());
            }
            (times, clock(ClockId::ThreadCPUTime))
        });
        Self { stopped, thread }
    }

    /// Returns the time of each batch, and what the thread took of the processors.
    fn stop(self) -> (Vec<Duration>, Duration) {
        self.stopped.store(true, Ordering::Relaxed);
        self.thread.join().expect("no panic")
    }
}

fn resident_megabytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|text| text.trim().strip_suffix(" kB"));
    let kilobytes: f64 = kilobytes
        .and_then(|text| text.parse().ok())
        .expect("a number");
    kilobytes * 1024.0 / 1e6
}
