//! Two Collectors that write the same series: Thanos tells them apart by a label, VictoriaMetrics not at all.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::site::collector;
use super::thanos::Thanos;
use super::{Error, Programs, Store, now};
use crate::scale::eventually;
use crate::scale::node::Node;
use crate::scale::service;
use crate::stack::query::prometheus_query_past;
use crate::stack::run_dir::RunDir;
use crate::stack::{Port, Ports, Service, Setup};

/// The overlay that adds the label.
const REPLICA: &str = "collector/overlays/remote-write-replica.yaml";
/// A metric of which the service has one series.
const SERIES: &str = "rustok_http_active_connections{job=\"rustok-server\"}";

/// What a query showed.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The store, and how it was asked.
    pub store: &'static str,
    /// Series of `SERIES`.
    pub series: usize,
    /// Samples of the series with the most, in ten seconds.
    pub samples: f64,
    /// What is expected of both.
    expected: (usize, f64),
}

impl Shown {
    /// Returns what is wrong.
    pub fn problem(&self) -> Option<String> {
        let (series, samples) = self.expected;
        let is_right = self.series == series && self.samples == samples;
        (!is_right).then(|| format!("not as expected: {self:?}"))
    }
}

/// Runs a service and two Collectors, of which the first sends everything to the second too.
pub fn run(programs: &Programs, folder: &Path) -> Result<Vec<Shown>, Error> {
    fs::create_dir_all(folder)?;
    let thanos = Thanos::start(&programs.thanos, folder)?;
    let plain = VictoriaMetrics::start(programs, &folder.join("plain"), &[])?;
    let deduplicated = VictoriaMetrics::start(
        programs,
        &folder.join("deduplicated"),
        &["-dedup.minScrapeInterval=1ms"],
    )?;
    let further = [
        ("plain", plain.write_url.clone()),
        ("deduplicated", deduplicated.write_url.clone()),
    ];
    let start = |replica: &str, more: &[(&str, &[&str])]| -> Result<Node, Error> {
        let mut node = collector(programs, &folder.join(replica), &further, more)?;
        node.set("PROMETHEUS_REMOTE_WRITE_URL", thanos.write_url.clone());
        node.set("COLLECTOR_REPLICA", replica);
        node.start()?;
        Ok(node)
    };
    let second = start("b", &[(REPLICA, &[])])?;
    let forward = folder.join("forward.yaml");
    let endpoint = second.ports().address(Port::CollectorOtlpGrpc);
    fs::write(
        &forward,
        format!("exporters:\n  otlp_grpc/b: {{endpoint: '{endpoint}', tls: {{insecure: true}}}}\n"),
    )?;
    let forward = forward.to_string_lossy();
    let first = start("a", &[(REPLICA, &[]), (&forward, &["otlp_grpc/b"])])?;
    let _service = service::start(
        &programs.server,
        &folder.join("service"),
        &Ports::free()?,
        &first,
        service::INTERVAL,
        &["--traffic"],
    )?;

    let thanos = &thanos.store;
    eventually(Duration::from_secs(60), || {
        // Before this, one of the Collectors may not have sent ten seconds.
        let (series, samples) = shown(thanos, &[("dedup", "false")], now() - 15.0)?;
        match (series, samples) {
            (2, samples) if samples > 0.0 => Ok(()),
            _ => Err(format!("{series} series with {samples} samples").into()),
        }
    })?;
    let instant = now() - 3.0;
    let once = shown(thanos, &[("dedup", "true")], instant)?.1;
    let rows = || -> Result<Vec<Shown>, Error> {
        let row = |store, at: &Store, parameters: &[(&str, &str)], expected| {
            let (series, samples) = shown(at, parameters, instant)?;
            Ok(Shown {
                store,
                series,
                samples,
                expected,
            })
        };
        [
            row(
                "Thanos without deduplication",
                thanos,
                &[("dedup", "false")],
                (2, once),
            ),
            row("Thanos", thanos, &[("dedup", "true")], (1, once)),
            row("VictoriaMetrics", &plain.store, &[], (1, 2.0 * once)),
            row(
                "VictoriaMetrics, -dedup.minScrapeInterval=1ms",
                &deduplicated.store,
                &[],
                (1, once),
            ),
        ]
        .into_iter()
        .collect()
    };
    // VictoriaMetrics shows samples some seconds after it accepted them.
    let shown = eventually(Duration::from_secs(20), || {
        let rows = rows()?;
        match rows.iter().find_map(Shown::problem) {
            None => Ok(rows),
            Some(problem) => Err(problem.into()),
        }
    });
    shown.or_else(|_| rows())
}

/// Returns the series, and the samples of the one with the most.
fn shown(store: &Store, parameters: &[(&str, &str)], instant: f64) -> Result<(usize, f64), Error> {
    let query = format!("count_over_time({SERIES}[10s])");
    let found = prometheus_query_past(&store.url, &query, instant, parameters)?;
    let samples = found.iter().map(|sample| sample.value);
    Ok((found.len(), samples.fold(0.0, f64::max)))
}

/// A VictoriaMetrics of its own.
struct VictoriaMetrics {
    _node: Node,
    store: Store,
    write_url: String,
}

impl VictoriaMetrics {
    fn start(programs: &Programs, folder: &Path, more: &[&str]) -> Result<Self, Error> {
        let (ports, service) = (Ports::free()?, Service::VictoriaMetrics);
        let dir = RunDir::create(folder)?;
        let mut arguments = service.arguments(&ports, &dir, Setup::default());
        arguments.extend(more.iter().map(Into::into));
        let (name, ready) = ("VictoriaMetrics", service.ready_url(&ports));
        let mut node =
            Node::of_program(name, &programs.victoria_metrics, arguments, &ready, folder)?;
        node.start()?;
        let url = ports.url(Port::VictoriaMetrics);
        Ok(Self {
            _node: node,
            write_url: format!("{url}/api/v1/write"),
            store: Store { name, url },
        })
    }
}
