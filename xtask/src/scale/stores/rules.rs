//! The rule files in Prometheus, Thanos' ruler and vmalert: each rule is evaluated, and a fault fires its alert.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::site::Site;
use super::{Error, Store};
use crate::dashboards::file::list;
use crate::rules;
use crate::scale::eventually;
use crate::stack::query::prometheus_api_at;

/// Durations in rules are divided by this: five minutes become ten seconds.
pub const DIVISOR: u32 = 30;
/// The fault, and its alert.
const FAULT: &str = "slow-database";
const ALERT: &str = "SlowDatabaseQueries";
/// Time for the alert to fire, and to end.
const WITHIN: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(200);

/// Waits until each ruler has evaluated each rule of the rule files. Returns how many there are.
pub fn all_are_evaluated(rulers: &[Store]) -> Result<usize, Error> {
    let expected = rules::all()?.len();
    for ruler in rulers {
        eventually(Duration::from_secs(60), || {
            let answer = prometheus_api_at(&ruler.url, "rules", &[])?;
            let groups = list(&answer["groups"]);
            let rules: Vec<_> = groups.flat_map(|group| list(&group["rules"])).collect();
            let failed = rules.iter().find(|rule| {
                let error = rule["lastError"].as_str().unwrap_or_default();
                rule["health"] != "ok" || !error.is_empty()
            });
            match failed {
                Some(rule) => Err(format!("{}: {rule}", ruler.name).into()),
                None if rules.len() == expected => Ok(()),
                None => Err(format!("{}: {} of {expected} rules", ruler.name, rules.len()).into()),
            }
        })?;
    }
    Ok(expected)
}

/// What a ruler showed of a fault.
#[derive(Debug, Clone)]
pub struct Fired {
    /// The ruler.
    pub ruler: &'static str,
    /// The time from the fault until the alert fired.
    pub fired: Duration,
    /// The time from the end of the fault until it did not fire any more.
    pub resolved: Duration,
    /// Other alerts that fired meanwhile.
    pub others: BTreeSet<String>,
}

/// Switches a fault of the service on, and off again.
pub fn drill(site: &Site) -> Result<Vec<Fired>, Error> {
    eventually(WITHIN, || {
        for ruler in &site.rulers {
            let firing = firing(ruler)?;
            if firing.contains(ALERT) || !firing.contains("Watchdog") {
                return Err(format!("{}: {firing:?} fire", ruler.name).into());
            }
        }
        Ok(())
    })?;
    let mut others = site.rulers.each_ref().map(|_| BTreeSet::new());
    switch(site, "PUT")?;
    let fired = times(&site.rulers, &mut others, |firing| firing.contains(ALERT))?;
    switch(site, "DELETE")?;
    let resolved = times(&site.rulers, &mut others, |firing| !firing.contains(ALERT))?;
    let rows = site
        .rulers
        .iter()
        .zip(fired.into_iter().zip(resolved))
        .zip(others);
    Ok(rows
        .map(|((ruler, (fired, resolved)), mut others)| {
            others.remove(ALERT);
            Fired {
                ruler: ruler.name,
                fired,
                resolved,
                others,
            }
        })
        .collect())
}

/// Returns the time after which each ruler was as wanted. Every alert that fires is added to `seen`.
fn times(
    rulers: &[Store; 3],
    seen: &mut [BTreeSet<String>; 3],
    wanted: impl Fn(&BTreeSet<String>) -> bool,
) -> Result<Vec<Duration>, Error> {
    let started = Instant::now();
    let mut times = [None; 3];
    while times.contains(&None) {
        for ((ruler, seen), time) in rulers.iter().zip(&mut *seen).zip(&mut times) {
            let firing = firing(ruler)?;
            if wanted(&firing) {
                time.get_or_insert_with(|| started.elapsed());
            }
            seen.extend(firing);
        }
        if started.elapsed() > WITHIN {
            return Err(format!("after {WITHIN:?}: {times:?}, seen: {seen:?}").into());
        }
        sleep(POLL);
    }
    Ok(times.into_iter().flatten().collect())
}

fn firing(ruler: &Store) -> Result<BTreeSet<String>, Error> {
    let answer = prometheus_api_at(&ruler.url, "alerts", &[])?;
    // Thanos' ruler spells it with a capital.
    let alerts = list(&answer["alerts"]).chain(list(&answer["Alerts"]));
    let firing = alerts.filter(|alert| alert["state"] == "firing");
    let name = |alert: &Value| Some(alert["labels"]["alertname"].as_str()?.to_owned());
    firing
        .map(|alert| name(alert).ok_or_else(|| format!("an alert without a name: {alert}").into()))
        .collect()
}

fn switch(site: &Site, method: &str) -> Result<(), Error> {
    let agent = ureq::Agent::config_builder()
        .proxy(None)
        .build()
        .new_agent();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}/drills/{FAULT}", site.service_url))
        .body(())?;
    agent.run(request)?;
    Ok(())
}
