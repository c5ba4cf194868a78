//! Observable metrics.

mod support;

use support::{samples, text, text_only};

#[rustok_telemetry::metrics(namespace = "observed")]
mod observed {
    /// Open files by owner.
    #[observable_gauge(name = "open_files", observe = super::open_files, series = 3)]
    fn open_files(owner: &str) -> u64;
}
fn open_files(report: &mut dyn FnMut([&str; 1], u64)) {
    for owner in 0..5 {
        report([&format!("owner-{owner}")], owner);
    }
}

#[test_fork::test]
fn observations_beyond_the_limit_are_counted() {
    let telemetry = text_only().init().expect("telemetry starts");
    for reading in 1..=2 {
        let text = text();
        assert_eq!(samples(&text, "observed_open_files").len(), 3);
        assert!(!text.contains("otel_metric_overflow"), "{text}");
        // The count is read before or after the gauge, so it may lag by one reading.
        let dropped = samples(&text, "rustok_telemetry_observations_dropped_total");
        let dropped = dropped.get("{metric=\"observed_open_files\"}");
        let dropped: u64 = dropped.map_or(0, |count| count.parse().expect("a number"));
        assert!(
            (2 * (reading - 1)..=2 * reading).contains(&dropped),
            "{dropped}"
        );
    }
    let _ = telemetry.shutdown();
}
