//! A service, the Collector with the committed overlay, three stores, and what evaluates the rules on each.
//!
//! ```text
//! rustok-server ─ OTLP ─► Collector ─┬─ remote write ─► Prometheus ◄─ scrapes the service and the stack
//!                                    │                      │ remote write of what it scraped
//!                                    ├─ remote write ─► Thanos: two receivers ◄── querier ◄── ruler
//!                                    └─ remote write ─► VictoriaMetrics ◄── vmalert
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::thanos::Thanos;
use super::{Error, Programs, Store, overlay};
use crate::rules;
use crate::scale::node::Node;
use crate::scale::service::{self, INTERVAL, JOB};
use crate::stack::run_dir::RunDir;
use crate::stack::shortened::EVALUATION_INTERVAL;
use crate::stack::{Port, Ports, Service, Setup};

/// The running programs, which are killed when they are dropped.
#[derive(Debug)]
pub struct Site {
    _service: Node,
    _collector: Node,
    _jaeger: Node,
    _prometheus: Node,
    /// Thanos.
    pub thanos: Thanos,
    _ruler: Node,
    _victoria_metrics: Node,
    _vmalert: Node,
    /// The address of the service.
    pub service_url: String,
    /// Prometheus, Thanos' querier, VictoriaMetrics.
    pub stores: [Store; 3],
    /// Prometheus, Thanos' ruler, vmalert.
    pub rulers: [Store; 3],
}

impl Site {
    /// Starts the programs in a folder. Durations in rules are divided by `divisor`, and rules are evaluated at this
    /// interval.
    pub fn start(
        programs: &Programs,
        folder: &Path,
        divisor: u32,
        evaluation: Duration,
    ) -> Result<Self, Error> {
        let mut jaeger = Node::new(
            Service::Jaeger,
            &programs.jaeger,
            &["jaeger/config.yaml", "jaeger/backends/memory.yaml"],
            &folder.join("jaeger"),
        )?;
        jaeger.start()?;
        let thanos = Thanos::start(&programs.thanos, folder)?;
        let ports = Ports::free()?;
        let prometheus_url = ports.url(Port::Prometheus);
        let victoria_url = ports.url(Port::VictoriaMetrics);
        let victoria_write = format!("{victoria_url}/api/v1/write");
        let further = [
            ("thanos", thanos.write_url.clone()),
            ("victoria_metrics", victoria_write.clone()),
        ];
        let mut collector = collector(programs, &folder.join("collector"), &further, &[])?;
        collector.set(
            "PROMETHEUS_REMOTE_WRITE_URL",
            format!("{prometheus_url}/api/v1/write"),
        );
        collector.set(
            "JAEGER_OTLP_ENDPOINT",
            jaeger.ports().address(Port::JaegerOtlpGrpc),
        );
        let ports = [
            (Port::CollectorSelfMetrics, &collector),
            (Port::JaegerSelfMetrics, &jaeger),
        ]
        .into_iter()
        .fold(ports, |ports, (port, node)| {
            ports.with(port, node.ports().get(port))
        });

        let dir = RunDir::create(&folder.join("run"))?;
        write_prometheus(
            &dir,
            &ports,
            divisor,
            evaluation,
            &[thanos.write_url.clone(), victoria_write],
        )?;
        let start = |service: Service, program: &Path, more: &[&str]| -> Result<Node, Error> {
            let mut arguments = service.arguments(&ports, &dir, Setup::default());
            arguments.extend(more.iter().map(Into::into));
            let ready = service.ready_url(&ports);
            let folder = folder.join(service.to_string());
            let mut node =
                Node::of_program(&service.to_string(), program, arguments, &ready, &folder)?;
            node.start()?;
            Ok(node)
        };
        let prometheus = start(
            Service::Prometheus,
            &programs.prometheus,
            &["--web.enable-remote-write-receiver"],
        )?;
        let victoria_metrics = start(Service::VictoriaMetrics, &programs.victoria_metrics, &[])?;
        collector.start()?;

        let files = rule_files(&dir)?;
        let (ruler, thanos_ruler) =
            thanos.start_ruler(&programs.thanos, &files, evaluation, &folder.join("ruler"))?;
        let (vmalert_node, vmalert) = vmalert(
            &programs.vmalert,
            &victoria_url,
            &files,
            evaluation,
            &folder.join("vmalert"),
        )?;

        let service_url = ports.url(Port::Application);
        let arguments = ["--traffic", "--drills"];
        let folder = folder.join("service");
        let service = service::start(
            &programs.server,
            &folder,
            &ports,
            &collector,
            INTERVAL,
            &arguments,
        )?;
        dir.scrape_service(JOB, &ports.address(Port::Application), Some(INTERVAL))?;
        let prometheus_store = Store {
            name: "Prometheus",
            url: prometheus_url,
        };
        let victoria_store = Store {
            name: "VictoriaMetrics",
            url: victoria_url,
        };
        Ok(Self {
            _service: service,
            _collector: collector,
            _jaeger: jaeger,
            _prometheus: prometheus,
            stores: [
                prometheus_store.clone(),
                thanos.store.clone(),
                victoria_store,
            ],
            thanos,
            _ruler: ruler,
            _victoria_metrics: victoria_metrics,
            _vmalert: vmalert_node,
            service_url,
            rulers: [prometheus_store, thanos_ruler, vmalert],
        })
    }
}

/// Returns a Collector that does not run yet, with the committed overlay for the first store, and again for `further`
/// ones. Metrics go to `others` too, exporters of the files `more`.
pub(super) fn collector(
    programs: &Programs,
    folder: &Path,
    further: &[(&str, String)],
    more: &[(&str, &[&str])],
) -> Result<Node, Error> {
    let others: Vec<_> = more
        .iter()
        .flat_map(|(_, exporters)| *exporters)
        .copied()
        .collect();
    let generated = overlay::write(folder, further, &others)?;
    let generated: Vec<_> = generated
        .iter()
        .map(|file| file.to_string_lossy())
        .collect();
    let mut files = vec!["collector/config.yaml", overlay::COMMITTED];
    files.extend(more.iter().map(|(file, _)| *file));
    files.extend(generated.iter().map(|file| &**file));
    Node::new(Service::Collector, &programs.collector, &files, folder)
}

/// Starts vmalert, which writes what it records to VictoriaMetrics at `url`.
fn vmalert(
    program: &Path,
    url: &str,
    rules: &[PathBuf],
    evaluation: Duration,
    folder: &Path,
) -> Result<(Node, Store), Error> {
    let [number] = crate::stack::ports::free_numbers::<1>()?;
    let mut arguments = vec![
        format!("-httpListenAddr=127.0.0.1:{number}"),
        format!("-datasource.url={url}"),
        format!("-remoteWrite.url={url}"),
        format!("-remoteRead.url={url}"),
        "-notifier.blackhole".to_owned(),
        format!("-evaluationInterval={}s", evaluation.as_secs()),
        // By default, rules see samples 30 s late.
        "-rule.evalDelay=0s".to_owned(),
        "-remoteWrite.flushInterval=200ms".to_owned(),
    ];
    arguments.extend(rules.iter().map(|file| format!("-rule={}", file.display())));
    let own = format!("http://127.0.0.1:{number}");
    let mut node = Node::of_program(
        "vmalert",
        program,
        arguments,
        &format!("{own}/health"),
        folder,
    )?;
    node.start()?;
    let (name, url) = ("vmalert", own);
    Ok((node, Store { name, url }))
}

/// Writes the configuration of Prometheus: the committed one, without targets for the Collector's metrics, which are
/// pushed, and with remote write of what it scrapes.
fn write_prometheus(
    dir: &RunDir,
    ports: &Ports,
    divisor: u32,
    evaluation: Duration,
    remotes: &[String],
) -> Result<(), Error> {
    dir.write_prometheus(ports, Some(INTERVAL), Some(divisor), false)?;
    let configuration = dir.prometheus_config();
    for job in ["otel-collector", "otel-collector-spans"] {
        fs::write(
            configuration.with_file_name(format!("targets/{job}.yml")),
            "[]\n",
        )?;
    }
    let text = fs::read_to_string(&configuration)?;
    let interval = |time: Duration| format!("evaluation_interval: {}s", time.as_secs());
    let mut text = text.replace(&interval(EVALUATION_INTERVAL), &interval(evaluation));
    text.push_str("\nremote_write:\n");
    for url in remotes {
        text.push_str(&format!("  - url: {url}\n{SCRAPED}"));
    }
    Ok(fs::write(configuration, text)?)
}

/// What Prometheus scraped: the stores have everything else from the Collector and from their own rulers.
const SCRAPED: &str = r"    queue_config: {batch_send_deadline: 1s}
    write_relabel_configs:
      - source_labels: [__name__, job]
        regex: (up|scrape_.+|service_instance_info);.+|[^:]+;(otel-collector-self|jaeger|prometheus)
        action: keep
      - source_labels: [__name__]
        regex: ALERTS.*
        action: drop
";

/// Returns the rule files of a run.
fn rule_files(dir: &RunDir) -> Result<Vec<PathBuf>, Error> {
    let committed = rules::files()?;
    let names = committed.iter().filter_map(|file| file.file_name());
    Ok(names
        .map(|name| dir.prometheus_config().with_file_name(name))
        .collect())
}
