//! A service under fault, as a process: its settings, its own counts, its memory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Lines, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::Deserialize;

use super::spool::{Ballast, Spool, in_namespace, with_small_disk};
use super::{Error, Protocol};
use crate::children;

/// `OTEL_METRIC_EXPORT_INTERVAL` and the delays of the queues: the export interval of all signals.
pub const EXPORT_INTERVAL: Duration = Duration::from_secs(2);
/// `OTEL_EXPORTER_OTLP_TIMEOUT`, except on a slow link.
pub const TIMEOUT: Duration = Duration::from_secs(1);
/// Mounts the file `$0` in the place of `/etc/hosts`.
const MOUNT_HOSTS: &str = "mount --bind \"$0\" /etc/hosts";

/// Settings of a service.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    /// How it exports.
    pub protocol: Protocol,
    /// Where it exports to.
    pub endpoint: String,
    /// A file with the certificate of the authority that it trusts.
    pub authority: Option<&'a Path>,
    /// A file that takes the place of `/etc/hosts`.
    pub hosts: Option<&'a Path>,
    /// Where its spool is, if it has one.
    pub spool: Option<Spool<'a>>,
    /// Where it listens; port 0 is a free port.
    pub address: SocketAddr,
    /// Number of its first log record.
    pub first_number: u64,
    /// Inner spans of a request.
    pub spans: u64,
    /// Bytes of an attribute of an inner span.
    pub span_bytes: usize,
    /// `OTEL_EXPORTER_OTLP_TIMEOUT`.
    pub timeout: Duration,
    /// Whether it exports at all.
    pub exports: bool,
    /// Whether it has one core alone, the first one.
    pub pinned: bool,
}

impl Settings<'_> {
    /// Exports to an address in clear text.
    pub fn plain(protocol: Protocol, address: SocketAddr) -> Self {
        Self {
            protocol,
            endpoint: format!("http://{address}"),
            authority: None,
            hosts: None,
            spool: None,
            address: ([127, 0, 0, 1], 0).into(),
            first_number: 0,
            spans: 1,
            span_bytes: 16,
            timeout: TIMEOUT,
            exports: true,
            pinned: false,
        }
    }

    /// Returns the variables of OpenTelemetry.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let millis = |time: Duration| time.as_millis().to_string();
        let exporter = if self.exports { "otlp" } else { "none" };
        let mut variables = vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.endpoint.clone()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", self.protocol.to_string()),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", millis(self.timeout)),
            ("OTEL_TRACES_EXPORTER", exporter.to_owned()),
            ("OTEL_METRICS_EXPORTER", exporter.to_owned()),
            ("OTEL_LOGS_EXPORTER", exporter.to_owned()),
            ("OTEL_METRIC_EXPORT_INTERVAL", millis(EXPORT_INTERVAL)),
            ("OTEL_BSP_SCHEDULE_DELAY", millis(EXPORT_INTERVAL)),
            ("OTEL_BLRP_SCHEDULE_DELAY", millis(EXPORT_INTERVAL)),
            ("OTEL_TRACES_SAMPLER", "always_on".to_owned()),
            // Its own log records alone.
            ("RUST_LOG", "off,fault_service=info".to_owned()),
            // Failures of DNS are fast.
            ("RES_OPTIONS", "timeout:1 attempts:1".to_owned()),
        ];
        if let Some(file) = self.authority {
            let file = file.display().to_string();
            variables.push(("OTEL_EXPORTER_OTLP_CERTIFICATE", file));
        }
        if let Some(spool) = self.spool {
            let directory = spool.directory().display().to_string();
            variables.push(("RUSTOK_TELEMETRY_SPOOL_DIR", directory));
        }
        variables
    }
}

/// A running service.
#[derive(Debug)]
pub(super) struct Service {
    process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    pub(super) address: SocketAddr,
}

/// What a service reports.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct State {
    /// Requests that it answered.
    pub(super) served: u64,
    /// Spans that it recorded.
    spans: u64,
    pub(super) signals: Signals,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Signals {
    pub(super) traces: Signal,
    pub(super) metrics: Signal,
    pub(super) logs: Signal,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Signal {
    pub(super) successes: u64,
    queue: Option<Queue>,
}

/// The queue of a signal.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Queue {
    length: u64,
    exporting: u64,
    pub(super) exported: u64,
    lost: BTreeMap<String, u64>,
    spool: Option<SpoolState>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct SpoolState {
    items: u64,
    write_failures: u64,
}

impl Signal {
    pub(super) fn queue(&self) -> Queue {
        self.queue.clone().unwrap_or_default()
    }
}

/// The balance of a signal: recorded = exported + dropped + queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// What the service counted itself.
    pub recorded: u64,
    /// What the telemetry exported.
    pub exported: u64,
    /// What it dropped, by reason, without zeros.
    pub dropped: BTreeMap<String, u64>,
    /// What waits in memory or on disk, or is being exported.
    pub queued: u64,
}

impl Balance {
    /// Returns whether the counts agree.
    pub fn is_exact(&self) -> bool {
        self.recorded == self.exported + self.dropped() + self.queued
    }

    /// Returns everything that was dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    fn new(recorded: u64, queue: Queue) -> Self {
        let on_disk = queue.spool.unwrap_or_default().items;
        let mut dropped = queue.lost;
        dropped.retain(|_, items| *items > 0);
        Self {
            recorded,
            exported: queue.exported,
            dropped,
            queued: queue.length + queue.exporting + on_disk,
        }
    }
}

impl State {
    /// Returns the balance of spans.
    pub(super) fn spans(&self) -> Balance {
        Balance::new(self.spans, self.signals.traces.queue())
    }

    /// Returns the balance of log records, of which a request has one.
    pub(super) fn log_records(&self) -> Balance {
        Balance::new(self.served, self.signals.logs.queue())
    }

    /// Returns how many batches of spans and of log records the spool could not write.
    pub(super) fn unwritten(&self) -> [u64; 2] {
        [&self.signals.traces, &self.signals.logs].map(|signal| {
            let spool = signal.queue.as_ref().and_then(|queue| queue.spool.as_ref());
            spool.map_or(0, |spool| spool.write_failures)
        })
    }

    /// Returns whether each signal was exported since then.
    pub(super) fn has_exported_since(&self, then: &Self) -> bool {
        let queue = |signal: &Signal| signal.queue().exported;
        let (now, then) = (&self.signals, &then.signals);
        queue(&now.traces) > queue(&then.traces)
            && queue(&now.logs) > queue(&then.logs)
            && now.metrics.successes > then.metrics.successes
    }
}

impl Service {
    /// Starts a service, whose standard error goes to the file `log`.
    pub(super) fn start(
        program: &Path,
        settings: &Settings<'_>,
        log: &Path,
    ) -> Result<Self, Error> {
        let mut command = match (settings.hosts, settings.spool) {
            (Some(hosts), _) => in_namespace(MOUNT_HOSTS, hosts, program),
            (None, Some(Spool::OnSmallDisk(folder))) => with_small_disk(folder, program)?,
            (None, _) => Command::new(program),
        };
        command.args(["--address", &settings.address.to_string()]);
        command.args(["--first-number", &settings.first_number.to_string()]);
        command.args(["--spans", &settings.spans.to_string()]);
        command.args(["--span-bytes", &settings.span_bytes.to_string()]);
        clear_environment(&mut command);
        command
            .envs(settings.variables())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?);
        let mut process = match settings.pinned {
            true => spawn_on_first_core(&mut command)?,
            false => children::spawn(&mut command)?,
        };
        let orders = process.stdin.take().ok_or("no pipe to the service")?;
        let answers = process.stdout.take().ok_or("no pipe from the service")?;
        let mut answers = BufReader::new(answers).lines();
        let address = answers.next().ok_or("the service does not start")??;
        Ok(Self {
            process,
            orders,
            answers,
            address: address.parse()?,
        })
    }

    pub(super) fn state(&mut self) -> Result<State, Error> {
        self.order("state")
    }

    /// Exports what is queued, once.
    pub(super) fn flush(&mut self) -> Result<State, Error> {
        self.order("flush")
    }

    /// Ends it without a warning.
    pub(super) fn kill(&mut self) {
        // Both fail only for a process that has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Ends it.
    pub(super) fn stop(mut self) -> Result<State, Error> {
        let last = self.order("stop")?;
        self.process.wait()?;
        Ok(last)
    }

    /// Returns the file that fills the small disk on `folder`.
    pub(super) fn ballast(&self, folder: &Path) -> Ballast {
        Ballast::new(self.process.id(), folder)
    }

    /// Returns its resident memory in bytes.
    pub(super) fn memory(&self) -> Result<u64, Error> {
        resident(self.process.id())
    }

    /// Returns the processor time that it has used.
    pub(super) fn processor_time(&self) -> Result<Duration, Error> {
        processor_time(self.process.id())
    }

    fn order(&mut self, order: &str) -> Result<State, Error> {
        writeln!(self.orders, "{order}")?;
        let answer = self.answers.next().ok_or("the service has ended")??;
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended already where the run stopped it.
        self.kill();
    }
}

/// Removes the developer's own settings.
pub(crate) fn clear_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        let own = ["INVENTORY_URL", "DATABASE_URL", "PORT", "HOST", "RUST_LOG"];
        let prefixes = ["OTEL_", "RUSTOK_"];
        if prefixes.iter().any(|prefix| text.starts_with(prefix))
            || text.ends_with("_PROXY")
            || own.contains(&&*text)
        {
            command.env_remove(name);
        }
    }
}

/// Returns the resident memory of a process in bytes.
pub(crate) fn resident(pid: u32) -> Result<u64, Error> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|text| text.trim().strip_suffix(" kB"));
    let kilobytes: u64 = kilobytes.ok_or("no VmRSS")?.parse()?;
    Ok(kilobytes << 10)
}

/// Returns the processor time that a process has used, by the kernel's clock of 10 ms.
pub(crate) fn processor_time(pid: u32) -> Result<Duration, Error> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no name of a process")?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(10 * ticks))
}

/// Starts a process that has the first core of this program alone.
pub(super) fn spawn_on_first_core(command: &mut Command) -> Result<Child, Error> {
    let all = sched_getaffinity(None)?;
    let first = (0..CpuSet::MAX_CPU).find(|&core| all.is_set(core));
    let mut one = CpuSet::new();
    one.set(first.ok_or("no core")?);
    // The child inherits the affinity of this thread.
    sched_setaffinity(None, &one)?;
    let child = children::spawn(command);
    sched_setaffinity(None, &all)?;
    Ok(child?)
}
