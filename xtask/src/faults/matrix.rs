//! One fault by one protocol: all three signals of a service under load, beside a service without a fault.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::collector::{Collector, Keep, Received};
use super::load::{PairedLoad, p99_excess};
use super::proxy::{Layer, Mode, Proxy};
use super::service::{Balance, EXPORT_INTERVAL, Service, Settings, State};
use super::{Answers, Certificates, Error, Programs, Protocol};

/// Time between two requests to a service: 250 requests a second, which are 500 spans and 250 log records.
pub(super) const REQUEST_INTERVAL: Duration = Duration::from_millis(4);
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

/// What happens between a service and its Collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9`.
    Killed,
    /// `SIGSTOP`.
    Suspended,
    /// `SIGTERM` and a start, over and over.
    Restarted,
    /// Nothing listens.
    Refused,
    /// Connections stay open, and all bytes disappear.
    BlackHole,
    /// Connections are reset in the body of a request.
    Reset,
    /// HTTP 429 or `RESOURCE_EXHAUSTED` with a time to wait.
    TooManyRequests,
    /// HTTP 503 or `UNAVAILABLE` with a time to wait.
    Unavailable,
    /// HTTP 400 or `INVALID_ARGUMENT`.
    Invalid,
    /// Every second item is rejected.
    PartialSuccess,
    /// Requests are answered after 30 s.
    Late,
    /// The certificate of the receiver has expired.
    ExpiredCertificate,
    /// The name of the host is unknown.
    Dns,
    /// 10 MiB/s of spans into a link of 100 KiB/s.
    SlowLink,
}

impl Fault {
    /// All faults, in the order of the table.
    pub const ALL: [Self; 14] = [
        Self::Killed,
        Self::Suspended,
        Self::Restarted,
        Self::Refused,
        Self::BlackHole,
        Self::Reset,
        Self::TooManyRequests,
        Self::Unavailable,
        Self::Invalid,
        Self::PartialSuccess,
        Self::Late,
        Self::ExpiredCertificate,
        Self::Dns,
        Self::SlowLink,
    ];

    /// Returns its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Killed => "kill",
            Self::Suspended => "suspend",
            Self::Restarted => "restart",
            Self::Refused => "refused",
            Self::BlackHole => "black-hole",
            Self::Reset => "reset",
            Self::TooManyRequests => "429",
            Self::Unavailable => "503",
            Self::Invalid => "400",
            Self::PartialSuccess => "partial",
            Self::Late => "late",
            Self::ExpiredCertificate => "expired",
            Self::Dns => "dns",
            Self::SlowLink => "slow-link",
        }
    }

    /// Returns its name in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Killed => "`kill -9` of the Collector",
            Self::Suspended => "`SIGSTOP` of the Collector",
            Self::Restarted => "Collector restarts repeatedly",
            Self::Refused => "connection refused",
            Self::BlackHole => "black hole",
            Self::Reset => "reset in mid-body",
            Self::TooManyRequests => "429, `Retry-After: 2`",
            Self::Unavailable => "503, `Retry-After: 2`",
            Self::Invalid => "400",
            Self::PartialSuccess => "partial success",
            Self::Late => "answers after 30 s",
            Self::ExpiredCertificate => "expired certificate",
            Self::Dns => "DNS failure",
            Self::SlowLink => "10 MiB/s into 100 KiB/s",
        }
    }

    /// Returns how long it lasts in the table.
    pub fn lasts(self) -> Duration {
        Duration::from_secs(match self {
            Self::Suspended | Self::Late => 30,
            Self::SlowLink => 20,
            _ => 10,
        })
    }

    fn layer(self) -> Result<Option<Layer>, Error> {
        Ok(match self {
            Self::Killed | Self::Suspended | Self::Restarted => None,
            Self::Refused | Self::BlackHole | Self::Reset | Self::Dns | Self::SlowLink => {
                Some(Layer::Tcp)
            }
            Self::ExpiredCertificate => Some(Layer::Tls(Arc::new(Certificates::new()?))),
            Self::TooManyRequests
            | Self::Unavailable
            | Self::Invalid
            | Self::PartialSuccess
            | Self::Late => Some(Layer::Http),
        })
    }

    fn mode(self) -> Mode {
        let wait = Duration::from_secs(2);
        match self {
            Self::Killed | Self::Suspended | Self::Restarted => Mode::Pass,
            Self::Refused => Mode::Refused,
            Self::BlackHole => Mode::BlackHole,
            Self::Reset => Mode::ResetAfter(2_000),
            Self::TooManyRequests => Mode::Answers(Answers::TooManyRequests(wait)),
            Self::Unavailable => Mode::Answers(Answers::Unavailable(wait)),
            Self::Invalid => Mode::Answers(Answers::Invalid),
            Self::PartialSuccess => Mode::Answers(Answers::PartialSuccess),
            Self::Late => Mode::Answers(Answers::After(Duration::from_secs(30))),
            Self::ExpiredCertificate => Mode::ExpiredCertificate,
            Self::Dns => Mode::Cut,
            Self::SlowLink => Mode::BytesPerSecond(100 << 10),
        }
    }

    /// Changes the settings of both services. With 250 requests a second, 40 spans of 1 KiB are 10 MiB/s. A batch of 512
    /// takes 5 s on the slow link, within the default timeout of 10 s.
    fn adapt(self, settings: &mut Settings<'_>) {
        if self == Self::SlowLink {
            (settings.spans, settings.span_bytes) = (40, 860);
            settings.timeout = Duration::from_secs(10);
        }
    }
}

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
    /// By how much the service's p99 exceeds that of the service without a fault, before the fault and during it.
    pub p99_excess: [f64; 2],
    /// Most memory during the fault above that of before, in bytes.
    pub memory: u64,
    /// Time from the end of the fault until all signals were exported.
    pub recovery: Duration,
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
        problems
    }
}

/// A service with a fault between it and its Collector, and one without.
struct Run {
    collector: Collector,
    proxy: Option<Proxy>,
    hosts: Option<PathBuf>,
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
    sleep(lasts.min(Duration::from_secs(5)));
    let before = run.service.memory()?;
    let windows_before = load.stop()?;

    let load = run.load();
    let began = Instant::now();
    run.begin(fault)?;
    let mut most = 0;
    while began.elapsed() < lasts {
        most = most.max(run.service.memory()?);
        match fault {
            Fault::Restarted => run.restart()?,
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
    let again = received.spans_in_all + received.log_records_in_all
        - received.spans()
        - received.log_records();
    Ok(Row {
        fault,
        protocol,
        during,
        after: [last.spans(), last.log_records()],
        requests: [last.served, received.requests],
        received: [received.spans(), received.log_records()],
        received_again: again,
        p99_excess: [&windows_before, &windows_during].map(|windows| p99_excess(windows)),
        memory: most.saturating_sub(before),
        recovery,
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
        let of_control = Settings {
            endpoint: format!("http://{}", control.address(protocol)),
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
        Ok(Self {
            service: Service::start(&programs.service, &settings, &folder.join("service.log"))?,
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

    fn end(&mut self, fault: Fault) -> Result<(), Error> {
        match fault {
            Fault::Killed => self.collector.start_again()?,
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
