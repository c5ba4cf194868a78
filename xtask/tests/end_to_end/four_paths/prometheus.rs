//! A Prometheus alone, with the committed configuration and targets of its own.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use xtask::stack::programs::{self, Program};
use xtask::stack::{Port, Ports, query};
use xtask::{workspace, yaml};

use crate::support::eventually;

/// A running Prometheus, which is stopped when it is dropped.
pub(crate) struct Prometheus {
    process: Child,
    /// The address of its root.
    pub(crate) url: String,
}

impl Prometheus {
    /// Starts it in `folder`. `configuration` takes the place of the committed one; `targets` are the addresses of jobs.
    pub(crate) fn start(
        folder: &Path,
        configuration: Option<Value>,
        targets: &[(&str, &str)],
        options: &[&str],
    ) -> Self {
        let ports = Ports::free().expect("free ports");
        let address = ports.address(Port::Prometheus);
        Self::start_at(&address, folder, configuration, targets, options)
    }

    /// The same, where somebody knows already that it will be.
    pub(crate) fn start_at(
        address: &str,
        folder: &Path,
        configuration: Option<Value>,
        targets: &[(&str, &str)],
        options: &[&str],
    ) -> Self {
        write(folder, configuration, targets);
        let said = File::create(folder.join("output.txt")).expect("a file");
        let process = Command::new(programs::path(Program::Prometheus).expect("the program"))
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=data")
            .arg("--scrape.discovery-reload-interval=1s")
            .arg(format!("--web.listen-address={address}"))
            .args(options)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(said.try_clone().expect("a file"))
            .stderr(said)
            .spawn()
            .expect("Prometheus starts");
        let url = format!("http://{address}");
        let ready = format!("{url}/-/ready");
        let prometheus = Self { process, url };
        eventually(Duration::from_secs(60), || {
            let ready = query::is_ready(&ready);
            ready.then_some(()).ok_or("it is not ready".to_owned())
        });
        prometheus
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The committed configuration, changed as it says itself for a deployment without a Collector: no job for the Collector,
/// and nothing dropped of what the application shows.
pub(crate) fn without_a_collector() -> Value {
    let text = fs::read_to_string(workspace::root().join("prometheus/prometheus.yml"));
    let mut configuration = yaml::parse(&text.expect("a file")).expect("YAML");
    let jobs = configuration["scrape_configs"].as_array_mut();
    let jobs = jobs.expect("jobs");
    jobs.retain(|job| job["job_name"] != "otel-collector");
    let service = jobs.iter_mut().find(|job| job["job_name"] == "services");
    let service = service.and_then(Value::as_object_mut).expect("the job");
    let dropped = service.remove("metric_relabel_configs");
    assert!(
        dropped.is_some(),
        "nothing is dropped, so there is nothing to change"
    );
    configuration
}

fn write(folder: &Path, configuration: Option<Value>, targets: &[(&str, &str)]) {
    fs::create_dir_all(folder.join("targets")).expect("a folder");
    for entry in fs::read_dir(workspace::root().join("prometheus")).expect("a folder") {
        let file = entry.expect("an entry").path();
        let name = file.file_name().expect("a name");
        match &configuration {
            // JSON is YAML too.
            Some(changed) if name == "prometheus.yml" => {
                fs::write(folder.join(name), changed.to_string()).expect("a file");
            }
            _ if file.is_file() => symlink(&file, folder.join(name)).expect("a link"),
            _ => {}
        }
    }
    for (job, address) in targets {
        let service = match *job {
            "services" => "job: rustok-server, ",
            _ => "",
        };
        let target = format!(
            "- targets: [\"{address}\"]\n  labels: {{{service}__scrape_interval__: 1s, __scrape_timeout__: 1s}}\n"
        );
        let file = folder.join("targets").join(format!("{job}.yml"));
        fs::write(file, target).expect("a file");
    }
}
