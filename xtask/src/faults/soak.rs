//! `rustok-server` at full load on one core, with a fault every 20 s.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::collector::{Collector, Keep};
use super::latency::median;
use super::load::FullLoad;
use super::proxy::{Layer, Mode, Proxy};
use super::service::{Settings, clear_environment, resident, spawn_on_first_core};
use super::{Answers, Error, Programs, Protocol};

/// From one fault to the next.
const FAULT_EVERY: Duration = Duration::from_secs(20);
const FAULT_LASTS: Duration = Duration::from_secs(8);
const CONNECTIONS: usize = 8;
/// The time after which the memory is to stay the same.
const SETTLED_AFTER: Duration = Duration::from_secs(300);
/// Time for the service to end.
const STOPPED_WITHIN: Duration = Duration::from_secs(60);

/// What a run showed.
#[derive(Debug)]
pub struct Soak {
    /// The protocol.
    pub protocol: Protocol,
    /// How long the load lasted.
    pub lasted: Duration,
    /// The time after which the memory is compared: less than five minutes in a short run.
    pub settled_after: Duration,
    /// Faults.
    pub faults: u32,
    /// Requests of the load that were answered.
    pub requests: u64,
    /// The median of the resident memory in the first third of the settled time, and in the last one, in bytes.
    pub memory: [u64; 2],
    /// Counters of the service that are compared with those at the Collector.
    pub counters: usize,
    /// Counters that differ: the name with its labels, the service's value, and the Collector's.
    pub different: Vec<(String, f64, Option<f64>)>,
    /// Spans that were recorded, and dropped.
    pub spans: [f64; 2],
}

impl Soak {
    /// Returns the promises that do not hold.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let [first, last] = self.memory;
        // A short run is still warming up.
        let allowed = match self.settled_after < SETTLED_AFTER {
            true => first / 4,
            false => first / 20,
        };
        if last > first + allowed {
            problems.push(format!("the memory grew from {first} to {last} bytes"));
        }
        let different = self.different.iter();
        problems.extend(different.map(|(counter, own, received)| {
            format!("{counter} is {own} at the service and {received:?} at the Collector")
        }));
        if self.counters == 0 {
            problems.push("no counters".to_owned());
        }
        problems
    }
}

/// A fault of the soak.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Kill,
    Suspend,
    Connections(Mode),
    Answers(Answers),
}

const FAULTS: [Fault; 9] = [
    Fault::Kill,
    Fault::Suspend,
    Fault::Connections(Mode::Refused),
    Fault::Connections(Mode::BlackHole),
    Fault::Connections(Mode::ResetAfter(20_000)),
    Fault::Connections(Mode::BytesPerSecond(100 << 10)),
    Fault::Answers(Answers::Unavailable(Duration::from_secs(2))),
    Fault::Answers(Answers::Invalid),
    Fault::Answers(Answers::After(Duration::from_secs(30))),
];

/// Runs for this time. The seed chooses the order of the faults.
pub fn run(
    programs: &Programs,
    protocol: Protocol,
    time: Duration,
    seed: u64,
) -> Result<Soak, Error> {
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = programs.folder.join("soak");
    let mut collector = Collector::start(&programs.collector, &folder, Keep::Metrics)?;
    let answers = Proxy::start(Layer::Http, collector.address(protocol))?;
    let connections = Proxy::start(Layer::Tcp, answers.address())?;
    let settings = Settings::plain(protocol, connections.address());
    let mut server = Server::start(&programs.server, &folder, &settings)?;

    let settled_after = SETTLED_AFTER.min(time / 3);
    let load = FullLoad::start(server.address, "/api/products?limit=20", CONNECTIONS);
    let started = Instant::now();
    let mut memory = Vec::new();
    let mut watch = |until: Duration| -> Result<(), Error> {
        let until = until.min(time);
        while started.elapsed() < until {
            memory.push((started.elapsed(), resident(server.process.id())? as f64));
            sleep(Duration::from_millis(500));
        }
        Ok(())
    };
    let (mut faults, mut left) = (0, Vec::new());
    while started.elapsed() + FAULT_EVERY <= time {
        if left.is_empty() {
            left = FAULTS.to_vec();
            random.shuffle(&mut left);
        }
        let Some(fault) = left.pop() else { break };
        let began = started.elapsed();
        match fault {
            Fault::Kill => collector.kill(),
            Fault::Suspend => collector.suspend()?,
            Fault::Connections(mode) => connections.set(mode),
            Fault::Answers(of) => answers.set(Mode::Answers(of)),
        }
        watch(began + FAULT_LASTS)?;
        match fault {
            Fault::Kill => collector.start_again()?,
            Fault::Suspend => collector.resume()?,
            Fault::Connections(_) => connections.set(Mode::Pass),
            Fault::Answers(_) => answers.set(Mode::Pass),
        }
        faults += 1;
        watch(began + FAULT_EVERY)?;
    }
    watch(time)?;
    let lasted = started.elapsed();
    let requests = load.stop()?;
    let own = counters(&server.stop(&folder)?);
    let received = counters(&collector.metrics()?);
    let stable = own.iter().filter(|(counter, _)| is_stable(counter));
    let different = stable.clone().filter_map(|(counter, &value)| {
        let of_collector = received.get(counter).copied();
        (of_collector != Some(value)).then(|| (counter.clone(), value, of_collector))
    });
    let different = different.collect();
    let counters = stable.count();
    let third = (lasted - settled_after) / 3;
    let between = |from: Duration, to: Duration| {
        let within = memory.iter().filter(|(at, _)| (from..to).contains(at));
        median(within.map(|(_, bytes)| *bytes).collect()) as u64
    };
    let sum = |name: &str| {
        let of_name = own.iter().filter(|(counter, _)| counter.starts_with(name));
        of_name.map(|(_, value)| value).sum()
    };
    Ok(Soak {
        protocol,
        lasted,
        settled_after,
        faults,
        requests,
        memory: [
            between(settled_after, settled_after + third),
            between(lasted - third, lasted),
        ],
        counters,
        different,
        spans: [
            sum("rustok_spans_created_total"),
            sum("rustok_telemetry_spans_lost_total"),
        ],
    })
}

/// A running `rustok-server`.
struct Server {
    process: Child,
    address: std::net::SocketAddr,
}

impl Server {
    fn start(program: &Path, folder: &Path, settings: &Settings<'_>) -> Result<Self, Error> {
        let mut command = Command::new(program);
        clear_environment(&mut command);
        command
            // The console's history of metrics grows for a quarter of an hour.
            .args(["--port", "0", "--no-console", "--traffic", "--database"])
            .arg(folder.join("soak.db"))
            .arg("--metrics-on-exit")
            .arg(folder.join("metrics.txt"))
            .envs(settings.variables())
            .env("RUST_LOG", "warn")
            // glibc's allocator has an arena for each of SQLite's threads. Their resident memory grows for hours,
            // although the service's allocations do not.
            .env("MALLOC_ARENA_MAX", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.join("server.log"))?);
        let mut process = spawn_on_first_core(&mut command)?;
        let output = process.stdout.take().ok_or("no pipe from the service")?;
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let address = lines.find_map(|line| {
            let address = line.strip_prefix("rustok-server: listening on http://")?;
            address.parse().ok()
        });
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self {
            process,
            address: address.ok_or("the service does not start")?,
        })
    }

    /// Ends it as an orchestrator does, and returns its last metrics.
    fn stop(&mut self, folder: &Path) -> Result<String, Error> {
        let pid = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw);
        kill_process(pid.ok_or("no process id")?, Signal::TERM)?;
        let asked = Instant::now();
        while self.process.try_wait()?.is_none() {
            if asked.elapsed() > STOPPED_WITHIN {
                return Err("the service does not stop".into());
            }
            sleep(Duration::from_millis(50));
        }
        Ok(fs::read_to_string(folder.join("metrics.txt"))?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where the run stopped it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns whether a counter has the same value in the last text and in the last export.
fn is_stable(counter: &str) -> bool {
    let changing = ["rustok_telemetry_", "rustok_tokio_", "process_"];
    !changing.iter().any(|prefix| counter.starts_with(prefix))
}

/// Returns the counters of `rustok-server` in a text. The labels are sorted, without `job` and `instance`, which the
/// Collector adds.
fn counters(text: &str) -> BTreeMap<String, f64> {
    let mut kinds = BTreeMap::new();
    let mut counters = BTreeMap::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            kinds.extend(kind.split_once(' '));
            continue;
        }
        let Some((series, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.trim_end_matches('}')),
            None => (series, ""),
        };
        if kinds.get(name) != Some(&"counter") {
            continue;
        }
        let mut labels: Vec<_> = labels
            .split("\",")
            .map(|it| it.trim_end_matches('"'))
            .collect();
        if labels
            .iter()
            .any(|label| label.starts_with("job=\"") && *label != "job=\"rustok-server")
        {
            continue;
        }
        labels.retain(|label| !label.starts_with("job=\"") && !label.starts_with("instance=\""));
        labels.sort_unstable();
        if let Ok(value) = value.parse() {
            counters.insert(format!("{name}{{{}}}", labels.join("\",")), value);
        }
    }
    counters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_both_texts_have_the_same_names() {
        let own = "# TYPE a_total counter\na_total{x=\"1\",b=\"2,\"} 3\n# TYPE g gauge\ng 1\n";
        let collector = "# TYPE a_total counter\n\
            a_total{b=\"2,\",instance=\"i\",job=\"rustok-server\",x=\"1\"} 3\n\
            a_total{b=\"2,\",instance=\"i\",job=\"another\",x=\"1\"} 4\n";
        assert_eq!(counters(own), counters(collector));
        assert_eq!(counters(own).len(), 1);
    }

    #[test]
    fn dropped_spans_are_counted_and_not_compared() {
        let text = "# TYPE rustok_telemetry_spans_lost_total counter\n\
            rustok_telemetry_spans_lost_total{reason=\"queue_full\"} 3\n";
        let counters = counters(text);
        assert_eq!(counters.values().sum::<f64>(), 3.0);
        assert!(!counters.keys().any(|counter| is_stable(counter)));
    }
}
