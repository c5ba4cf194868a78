//! One fault by one protocol: all three signals of a service under load, beside a service without a fault.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::collector::{Collector, Keep, Received};
use super::latency::p99_ratios;
use super::load::PairedLoad;
use super::proxy::{Layer, Mode, Proxy};
use super::service::{Balance, EXPORT_INTERVAL, Service, Settings, State};
use super::spool::{Ballast, Spool};
use super::{Error, Fault, Programs, Protocol};

/// Time between two requests to a service: 250 requests a second, which are 500 spans and 250 log records.
pub(super) const REQUEST_INTERVAL: Duration = Duration::from_millis(4);
/// Time with load before a fault, at most; the first part of it warms up.
const BEFORE: Duration = Duration::from_secs(22);
const WARM_UP_WINDOWS: usize = 2;
/// Recovery within this time is promised.
pub const RECOVERY: Duration = Duration::from_secs(2 * EXPORT_INTERVAL.as_secs());
/// The memory that telemetry may add to a service: two queues of 32 MiB, and 32 MiB for the batches of both, which are
/// encoded once as items and once as requests.
pub const MEMORY: u64 = 96 << 20;
/// Time for the counts of a service without requests to settle.
const SETTLED_WITHIN: Duration = Duration::from_secs(5);
/// Time after the end of a fault in which everything that waits is exported.
const DRAINED_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// The fault.
    pub fault: Fault,
    /// The protocol.
    pub protocol: Protocol,
    /// Spans and log records at the end of the fault.
    pub during: [Balance; 2],
    /// Spans and log records after it.
    pub after: [Balance; 2],
    /// Requests that the service counted, and the last total that the Collector received.
    pub requests: [u64; 2],
    /// Different spans and log records that the Collector received.
    pub received: [u64; 2],
    /// Spans and log records that it received again.
    pub received_again: u64,
    /// The service's p99 divided by that of the service without a fault, in each second before the fault and during it.
    pub p99_ratios: [Vec<f64>; 2],
    /// Most memory during the fault above that of before, in bytes.
    pub memory: u64,
    /// Time from the end of the fault until all signals were exported.
    pub recovery: Duration,
    /// Batches of spans and of log records that the spool could not write.
    pub unwritten: [u64; 2],
}

impl Row {
    /// Returns the promises that do not hold. The latency is not among them, because it depends on other programs.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |holds: bool, text: String| {
            if !holds {
                problems.push(text);
            }
        };
        for (index, what) in ["spans", "log records"].into_iter().enumerate() {
            let (during, after) = (&self.during[index], &self.after[index]);
            check(
                during.is_exact(),
                format!("{what} during the fault: {during:?}"),
            );
            check(
                after.is_exact(),
                format!("{what} after the fault: {after:?}"),
            );
            check(after.queued == 0, format!("{what} still wait: {after:?}"));
            let received = self.received[index];
            let exported = after.exported;
            let text = format!("{what}: exported {exported}, received {received}");
            check(received == exported, text);
        }
        let [counted, received] = self.requests;
        let text = format!("metrics: counted {counted} requests, received {received}");
        check(counted == received, text);
        check(
            self.memory < MEMORY,
            format!("memory: {} bytes", self.memory),
        );
        let recovery = self.recovery;
        check(recovery <= RECOVERY, format!("recovery after {recovery:?}"));
        // Otherwise the disk was not full.
        let unwritten = self.unwritten;
        let fails = unwritten.iter().all(|&batches| batches > 0);
        check(
            fails == (self.fault == Fault::DiskFull),
            format!("batches that the spool could not write: {unwritten:?}"),
        );
        problems
    }
}

/// A service with a fault between it and its Collector, and one without.
struct Run {
    collector: Collector,
    proxy: Option<Proxy>,
    hosts: Option<PathBuf>,
    ballast: Option<Ballast>,
    service: Service,
    control: Service,
    // The Collector of the other service.
    _control_collector: Collector,
}

/// Measures one fault, which lasts as long as `lasts` says.
pub fn run(
    programs: &Programs,
    fault: Fault,
    protocol: Protocol,
    lasts: Duration,
) -> Result<Row, Error> {
    let mut run = Run::start(programs, fault, protocol)?;
    let load = run.load();
    sleep(lasts.min(BEFORE));
    let before = run.service.memory()?;
    let mut windows_before = load.stop()?;
    windows_before.drain(..WARM_UP_WINDOWS.min(windows_before.len()));

    let load = run.load();
    let began = Instant::now();
    run.begin(fault)?;
    let mut most = 0;
    while began.elapsed() < lasts {
        most = most.max(run.service.memory()?);
        match fault {
            Fault::Restarted => run.restart()?,
            Fault::DiskFull => run.keep_disk_full(began.elapsed() > lasts / 2)?,
            _ => sleep(POLL),
        }
    }
    let windows_during = load.stop()?;
    let state = run.settled()?;
    let during = [state.spans(), state.log_records()];

    run.end(fault)?;
    let (ended, then) = (Instant::now(), run.service.state()?);
    let load = run.load();
    let recovery = loop {
        let took = ended.elapsed();
        let now = run.service.state()?;
        if now.has_exported_since(&then) || took > RECOVERY * 5 {
            break took;
        }
        sleep(POLL);
    };
    load.stop()?;
    let (last, received) = run.finish()?;
    Ok(Row {
        fault,
        protocol,
        during,
        after: [last.spans(), last.log_records()],
        requests: [last.served, received.requests],
        received: received.different(),
        received_again: received.again(),
        p99_ratios: [&windows_before, &windows_during].map(|windows| p99_ratios(windows)),
        memory: most.saturating_sub(before),
        recovery,
        unwritten: last.unwritten(),
    })
}

impl Run {
    fn start(programs: &Programs, fault: Fault, protocol: Protocol) -> Result<Self, Error> {
        let folder = &programs.folder;
        let collector = folder.join("collector");
        let collector = Collector::start(&programs.collector, &collector, Keep::Everything)?;
        let control = folder.join("control");
        let control = Collector::start(&programs.collector, &control, Keep::Metrics)?;
        let layer = fault.layer()?;
        let authority = folder.join("authority.pem");
        let mut settings = Settings::plain(protocol, collector.address(protocol));
        fault.adapt(&mut settings);
        let [spool, of_control] = ["spool", "spool-of-control"].map(|name| folder.join(name));
        let on_disk = fault == Fault::DiskFull;
        settings.spool = on_disk.then(|| Spool::OnSmallDisk(&spool));
        let of_control = Settings {
            endpoint: format!("http://{}", control.address(protocol)),
            spool: on_disk.then(|| Spool::OnSmallDisk(&of_control)),
            ..settings.clone()
        };
        if let Some(Layer::Tls(certificates)) = &layer {
            fs::write(&authority, &certificates.authority)?;
            settings.authority = Some(&authority);
        }
        let proxy = layer.map(|layer| Proxy::start(layer, collector.address(protocol)));
        let proxy = proxy.transpose()?;
        let hosts = (fault == Fault::Dns).then(|| folder.join("hosts"));
        if let Some(hosts) = &hosts {
            fs::write(hosts, HOSTS)?;
            settings.hosts = Some(hosts);
        }
        if let Some(proxy) = &proxy {
            let port = proxy.address().port();
            settings.endpoint = match fault {
                Fault::ExpiredCertificate => format!("https://localhost:{port}"),
                Fault::Dns => format!("http://{HOST}:{port}"),
                _ => format!("http://127.0.0.1:{port}"),
            };
        }
        let service = Service::start(&programs.service, &settings, &folder.join("service.log"))?;
        Ok(Self {
            ballast: on_disk.then(|| service.ballast(&spool)),
            service,
            control: Service::start(&programs.service, &of_control, &folder.join("control.log"))?,
            collector,
            proxy,
            hosts,
            _control_collector: control,
        })
    }

    fn load(&self) -> PairedLoad {
        PairedLoad::start(
            [self.service.address, self.control.address],
            REQUEST_INTERVAL,
        )
    }

    fn begin(&mut self, fault: Fault) -> Result<(), Error> {
        match fault {
            Fault::Killed => self.collector.kill(),
            Fault::Suspended => self.collector.suspend()?,
            _ => {}
        }
        if let Some(hosts) = &self.hosts {
            fs::write(hosts, "")?;
        }
        if let Some(proxy) = &self.proxy {
            proxy.set(fault.mode());
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<(), Error> {
        self.collector.terminate()?;
        self.collector.start_again()?;
        sleep(Duration::from_secs(1));
        Ok(())
    }

    /// Fills the disk of the spool, and what a removed file has left free since the last call.
    fn keep_disk_full(&mut self, kill_collector: bool) -> Result<(), Error> {
        if let Some(ballast) = &self.ballast {
            ballast.fill()?;
        }
        if kill_collector {
            self.collector.kill();
        }
        sleep(POLL);
        Ok(())
    }

    fn end(&mut self, fault: Fault) -> Result<(), Error> {
        if let Some(ballast) = &self.ballast {
            ballast.remove()?;
        }
        match fault {
            Fault::Killed | Fault::DiskFull => self.collector.start_again()?,
            Fault::Suspended => self.collector.resume()?,
            _ => {}
        }
        if let Some(hosts) = &self.hosts {
            fs::write(hosts, HOSTS)?;
        }
        if let Some(proxy) = &self.proxy {
            proxy.set(Mode::Pass);
        }
        Ok(())
    }

    /// Returns the counts of the service, which answers no requests now. A span ends after its request was answered, and
    /// counters that are read one after the other may differ while the exporter works.
    fn settled(&mut self) -> Result<State, Error> {
        settled(&mut self.service)
    }

    /// Exports what waits, ends both services, and reads what the Collector received.
    fn finish(mut self) -> Result<(State, Received), Error> {
        drain(&mut self.service)?;
        let last = self.service.stop()?;
        self.control.stop()?;
        Ok((last, self.collector.received()?))
    }
}

/// The host of the Collector where its name is not known at times.
const HOST: &str = "collector.invalid";
const HOSTS: &str = "127.0.0.1 localhost\n127.0.0.1 collector.invalid\n";

/// Waits until the counts of a service without requests agree; returns the last ones if they do not.
pub(super) fn settled(service: &mut Service) -> Result<State, Error> {
    let started = Instant::now();
    loop {
        let state = service.state()?;
        let is_exact = state.spans().is_exact() && state.log_records().is_exact();
        if is_exact || started.elapsed() > SETTLED_WITHIN {
            return Ok(state);
        }
        sleep(POLL);
    }
}

/// Flushes until nothing waits, or for a minute.
pub(super) fn drain(service: &mut Service) -> Result<(), Error> {
    let started = Instant::now();
    loop {
        let state = service.flush()?;
        let waits = state.spans().queued + state.log_records().queued;
        if waits == 0 || started.elapsed() > DRAINED_WITHIN {
            settled(service)?;
            return Ok(());
        }
        sleep(POLL);
    }
}
