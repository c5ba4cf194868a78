//! The alerts of the user's guide.

use super::{Alert, Fires, Severity};

/// Share of requests that fail.
pub const HIGH_ERROR_RATE: Alert = Alert {
    name: "HighErrorRate",
    fires: Fires::Above(0.05),
    severity: Severity::Critical,
};

/// P95 of the request duration in seconds.
pub const SLOW_REQUEST_LATENCY: Alert = Alert {
    name: "SlowRequestLatency",
    fires: Fires::Above(0.5),
    severity: Severity::Warning,
};

/// Events that wait.
pub const HIGH_EVENT_QUEUE_DEPTH: Alert = Alert {
    name: "HighEventQueueDepth",
    fires: Fires::Above(7000.0),
    severity: Severity::Warning,
};

/// Events that wait, at the queue's capacity.
pub const CRITICAL_EVENT_QUEUE_DEPTH: Alert = Alert {
    name: "CriticalEventQueueDepth",
    fires: Fires::Above(10_000.0),
    severity: Severity::Critical,
};

/// State of a circuit breaker.
pub const CIRCUIT_BREAKER_OPEN: Alert = Alert {
    name: "CircuitBreakerOpen",
    fires: Fires::At(1.0),
    severity: Severity::Critical,
};

/// Share of look-ups that find what they look for.
pub const LOW_CACHE_HIT_RATE: Alert = Alert {
    name: "LowCacheHitRate",
    fires: Fires::Below(0.5),
    severity: Severity::Warning,
};

/// P95 of the query duration in seconds.
pub const SLOW_DATABASE_QUERIES: Alert = Alert {
    name: "SlowDatabaseQueries",
    fires: Fires::Above(0.1),
    severity: Severity::Warning,
};

/// All of the guide's.
pub const GUIDE: [Alert; 7] = [
    HIGH_ERROR_RATE,
    SLOW_REQUEST_LATENCY,
    HIGH_EVENT_QUEUE_DEPTH,
    CRITICAL_EVENT_QUEUE_DEPTH,
    CIRCUIT_BREAKER_OPEN,
    LOW_CACHE_HIT_RATE,
    SLOW_DATABASE_QUERIES,
];
