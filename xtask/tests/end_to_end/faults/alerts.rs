//! Which alerts fire, and which have fired.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use xtask::stack::Stack;
use xtask::stack::query::prometheus_api;

/// The service that is broken on purpose. An alert about another is told by its name.
const SERVICE: &str = "rustok-server";
/// It always fires.
const WATCHDOG: &str = "Watchdog";
const POLL: Duration = Duration::from_millis(250);

/// The alerts of a Prometheus, watched.
pub(super) struct Alerts<'a> {
    stack: &'a Stack,
    since: Instant,
    /// When each alert was first seen firing.
    seen: BTreeMap<String, Duration>,
}

impl<'a> Alerts<'a> {
    pub(super) fn new(stack: &'a Stack) -> Self {
        Self {
            stack,
            since: Instant::now(),
            seen: BTreeMap::new(),
        }
    }

    /// Begins anew: nothing has been seen, and time is counted from now.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
        self.since = Instant::now();
    }

    /// The alerts that have fired, however shortly.
    pub(super) fn seen(&self) -> impl Iterator<Item = &str> {
        self.seen.keys().map(String::as_str)
    }

    /// Watches for so long.
    pub(super) fn hold(&mut self, time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            self.look();
            sleep(POLL);
        }
    }

    /// Waits for an alert to fire, and says how long after the beginning it was seen.
    #[track_caller]
    pub(super) fn wait_for(&mut self, limit: Duration, alert: &str) -> Duration {
        if !self.seen.contains_key(alert) {
            self.wait_until(limit, |firing| firing.contains(alert));
        }
        self.seen[alert]
    }

    /// Waits for the firing alerts to be as wanted, and says how long it took.
    #[track_caller]
    pub(super) fn wait_until(
        &mut self,
        limit: Duration,
        wanted: impl Fn(&BTreeSet<String>) -> bool,
    ) -> Duration {
        let began = Instant::now();
        loop {
            let firing = self.look();
            if wanted(&firing) {
                return began.elapsed();
            }
            assert!(
                began.elapsed() < limit,
                "after {limit:?} {firing:?} fire; seen: {:?}",
                self.seen
            );
            sleep(POLL);
        }
    }

    /// Fails if another alert than these has fired.
    #[track_caller]
    pub(super) fn assert_known(&self, when: &str, known: &BTreeSet<&str>) {
        let unknown: Vec<_> = self.seen().filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "{when}: {unknown:?} fired too");
    }

    fn look(&mut self) -> BTreeSet<String> {
        let firing = firing(self.stack).expect("Prometheus answers");
        let after = self.since.elapsed();
        for name in &firing {
            self.seen.entry(name.clone()).or_insert(after);
        }
        firing
    }
}

/// The alerts that fire now, but for the one that always does, without which nothing can be said.
pub(super) fn firing(stack: &Stack) -> Result<BTreeSet<String>, String> {
    let data = prometheus_api(stack, "alerts", &[]).map_err(|error| error.to_string())?;
    let alerts = data["alerts"].as_array().ok_or("no list of alerts")?;
    let mut firing: BTreeSet<String> = alerts
        .iter()
        .filter(|alert| alert["state"] == "firing")
        .map(|alert| {
            let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default();
            match label("job") {
                "" | SERVICE => label("alertname").to_owned(),
                other => format!("{} of {other}", label("alertname")),
            }
        })
        .collect();
    if !firing.remove(WATCHDOG) {
        firing.insert(format!("not even {WATCHDOG}"));
    }
    Ok(firing)
}
