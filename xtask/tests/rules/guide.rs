//! The alerts of RusToK's Metrics Dashboard Guide are what the guide says.

use crate::files::alerts;

/// Name, end of the condition, duration, severity. `ServiceDown` is in the guide's best practices, which give it neither
/// duration nor severity.
const ALERTS: [(&str, &str, &str, &str); 8] = [
    ("HighErrorRate", "> 0.05", "2m", "critical"),
    ("SlowRequestLatency", "> 0.5", "5m", "warning"),
    ("HighEventQueueDepth", "> 7000", "5m", "warning"),
    ("CriticalEventQueueDepth", "> 10000", "2m", "critical"),
    ("CircuitBreakerOpen", "> 0", "1m", "critical"),
    ("LowCacheHitRate", "< 0.5", "10m", "warning"),
    ("SlowDatabaseQueries", "> 0.1", "5m", "warning"),
    (
        "ServiceDown",
        // The guide's `job="rustok-server"`, and every other service.
        "up{job!~\"otel-collector.*|jaeger|prometheus\"} == 0",
        "1m",
        "critical",
    ),
];

#[test]
fn thresholds_durations_and_severities_match_the_guide() {
    let alerts = alerts();
    for (name, condition, duration, severity) in ALERTS {
        let alert = alerts
            .iter()
            .find(|alert| alert.name == name)
            .unwrap_or_else(|| panic!("{name} is missing"));
        assert!(
            alert.expr.trim_end().ends_with(condition),
            "{name}: {}",
            alert.expr
        );
        assert_eq!(alert.duration, duration, "{name}");
        assert_eq!(alert.labels["severity"], severity, "{name}");
    }
}
