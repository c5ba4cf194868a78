//! The circuit breaker around calls to the inventory.
//!
//! The breaker is `tower-resilience-circuitbreaker`. It tells of each transition with both
//! states and while it holds its lock, so the metrics can't fall out of order; it lets only a
//! few probes through while half-open, and a call whose future is dropped gives its probe
//! back. `failsafe` and `recloser`, which were looked at too, don't do these.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use reqwest::{Request, Response};
use reqwest_middleware::ClientWithMiddleware;
use rustok_telemetry::http::client::UrlTemplate;
use rustok_telemetry::metrics;
use tower::Layer;
use tower::util::BoxCloneSyncService;
use tower_resilience_circuitbreaker::{
    CircuitBreakerConfigError, CircuitBreakerError, CircuitBreakerLayer, CircuitState,
};

use super::client::{CallError, send};

/// The name of the protected service in the metrics.
const SERVICE: &str = "inventory";
/// Failures in a row that open the circuit.
const FAILURES: usize = 5;
/// How long the circuit stays open before it lets a probe through.
const OPEN_FOR: Duration = Duration::from_secs(2);
/// Probes that must succeed before the circuit closes.
const PROBES: usize = 2;

/// HTTP calls to the inventory, protected.
pub(super) type Protected =
    BoxCloneSyncService<(Request, UrlTemplate), Response, CircuitBreakerError<CallError>>;

/// Puts the breaker around an HTTP client.
pub(super) fn protect(
    client: ClientWithMiddleware,
) -> Result<Protected, CircuitBreakerConfigError> {
    let failures = Arc::new(AtomicI64::new(0));
    let (on_failure, on_success, on_transition) =
        (Arc::clone(&failures), Arc::clone(&failures), failures);
    let layer = CircuitBreakerLayer::builder()
        .name(SERVICE)
        .consecutive_failures(FAILURES)
        .wait_duration_in_open(OPEN_FOR)
        .permitted_calls_in_half_open(PROBES)
        .on_call_rejected(|| metrics::record_circuit_breaker_call(SERVICE, "rejected"))
        .on_success(move |_| {
            metrics::record_circuit_breaker_call(SERVICE, "success");
            set(&on_success, 0);
        })
        .on_failure(move |_| {
            metrics::record_circuit_breaker_call(SERVICE, "failure");
            let count = on_failure.load(Ordering::Relaxed).saturating_add(1);
            set(&on_failure, count);
        })
        .on_state_transition(move |from, to| {
            let (from_state, to_state) = (name(from), name(to));
            metrics::record_circuit_breaker_transition(SERVICE, from_state, to_state);
            metrics::update_circuit_breaker_state(SERVICE, number(to));
            tracing::warn!(service = SERVICE, from_state, to_state, "circuit breaker");
            if to == CircuitState::Closed {
                set(&on_transition, 0);
            }
        })
        .build()?;
    metrics::update_circuit_breaker_state(SERVICE, number(CircuitState::Closed));
    metrics::update_circuit_breaker_failures(SERVICE, 0);
    let calls =
        tower::service_fn(move |(request, template)| send(client.clone(), request, template));
    Ok(BoxCloneSyncService::new(layer.layer(calls)))
}

fn set(failures: &AtomicI64, count: i64) {
    failures.store(count, Ordering::Relaxed);
    metrics::update_circuit_breaker_failures(SERVICE, count);
}

fn name(state: CircuitState) -> &'static str {
    match state {
        CircuitState::Closed => "closed",
        CircuitState::Open => "open",
        CircuitState::HalfOpen => "half_open",
    }
}

fn number(state: CircuitState) -> i64 {
    match state {
        CircuitState::Closed => 0,
        CircuitState::Open => 1,
        CircuitState::HalfOpen => 2,
    }
}
