//! Every kind with every value type, under the strictest lints that a user may have.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, rust_2018_idioms)]

#[rustok_telemetry::metrics(namespace = "shop", subsystem = "every_kind")]
mod declared {
    /// Things that happened.
    #[counter(name = "happened_total")]
    pub(crate) fn record_happened(thing: &str);

    /// Rows written.
    #[counter(name = "rows_total", series = 200)]
    pub(crate) fn record_rows(table: &str, rows: u64);

    /// Time on the processor.
    #[counter(name = "cpu_seconds_total")]
    pub(crate) fn record_cpu(seconds: f64);

    /// Balance of the account.
    #[gauge(name = "balance")]
    pub(crate) fn update_balance(account: &str, balance: i64);

    /// Memory in use.
    #[gauge(name = "memory_bytes")]
    pub(crate) fn update_memory(bytes: u64);

    /// Warmth of the room.
    #[gauge(name = "temperature", unit = "Cel")]
    pub(crate) fn update_temperature(room: &str, celsius: f64);

    /// Connections that are open.
    #[up_down_counter(name = "connections")]
    pub(crate) fn add_connections(change: i64);

    /// Weight on the scales.
    #[up_down_counter(name = "weight", unit = "kg")]
    pub(crate) fn add_weight(change: f64);

    /// Time spent waiting.
    #[histogram(name = "wait_seconds", boundaries = [0.1, 1.0, 10.0])]
    pub(crate) fn record_wait(queue: &str, seconds: f64);

    /// Time at work, which each system measures in its own way.
    #[cfg(unix)]
    #[deprecated(note = "nobody looks at it")]
    #[histogram(name = "work_seconds", boundaries = [0.1, 1.0, 10.0])]
    pub(crate) fn record_work(who: &'static str, what: impl rustok_telemetry::LabelValue, seconds: f64);

    /// Time at work elsewhere.
    #[cfg(not(unix))]
    #[histogram(name = "work_seconds", boundaries = [0.1, 1.0, 10.0])]
    pub(crate) fn record_work(who: &'static str, seconds: f64);

    /// Size of answers.
    #[histogram(name = "answer_bytes", boundaries = &[1_000.0, 1_000_000.0])]
    pub(crate) fn record_answer(bytes: u64);

    /// Depth of the well.
    #[observable_gauge(name = "well_depth", unit = "m", observe = super::report_depth)]
    fn well_depth(well: &str) -> i64;

    /// Threads.
    #[observable_gauge(name = "threads", observe = super::report_threads)]
    fn threads() -> u64;

    /// Share of hits.
    #[observable_gauge(name = "hit_rate", unit = "1", observe = super::report_hit_rate)]
    fn hit_rate(cache: &str, tenant: &str) -> f64;

    /// Pages read from the disk.
    #[observable_counter(name = "pages_total", observe = super::report_threads)]
    fn pages() -> u64;

    /// Time asleep.
    #[observable_counter(name = "asleep_seconds_total", observe = super::report_asleep)]
    fn asleep() -> f64;
}

fn report_depth(observe: &mut dyn FnMut([&str; 1], i64)) {
    observe(["north"], -7);
}

fn report_threads(observe: &mut dyn FnMut([&str; 0], u64)) {
    observe([], 3);
}

fn report_hit_rate(observe: &mut dyn FnMut([&str; 2], f64)) {
    observe(["products", "acme"], 0.5);
}

fn report_asleep(observe: &mut dyn FnMut([&str; 0], f64)) {
    observe([], 0.25);
}

fn main() {
    declared::record_happened("nothing");
    declared::record_rows("orders", 3);
    declared::record_cpu(0.5);
    declared::update_balance("savings", -3);
    declared::update_memory(1_000);
    declared::update_temperature("hall", 21.5);
    declared::add_connections(-1);
    declared::add_weight(0.5);
    declared::record_wait("orders", 0.2);
    declared::record_answer(500);
    let what = String::from("bread");
    #[allow(deprecated)]
    drop(declared::time_work("baker", &what));
    declared::time_wait(&what).discard();
}
