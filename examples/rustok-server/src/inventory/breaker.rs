//! The circuit breaker around calls to the inventory.
//!
//! The breaker is `tower-resilience-circuitbreaker`. It tells of each transition with both
//! states and while it holds its lock, so the metrics can't fall out of order; it lets only a
//! few probes through while half-open, and a call whose future is dropped gives its probe
//! back. `failsafe` and `recloser`, which were looked at too, don't do these.

use std::time::Duration;

use rustok_telemetry::circuit_breaker::observe;
use tower::Layer;
use tower::util::BoxCloneSyncService;
use tower_resilience_circuitbreaker::{
    CircuitBreakerConfigError, CircuitBreakerError, CircuitBreakerLayer,
};

use super::client::{Answer, Ask, Backend, CallError};

/// The name of the protected service in the metrics.
const SERVICE: &str = "inventory";
/// Failures in a row that open the circuit.
const FAILURES: usize = 5;
/// How long the circuit stays open before it lets a probe through.
const OPEN_FOR: Duration = Duration::from_secs(2);
/// Probes that must succeed before the circuit closes.
const PROBES: usize = 2;

/// Calls to the inventory, protected.
pub(super) type Protected = BoxCloneSyncService<Ask, Answer, CircuitBreakerError<CallError>>;

/// Puts the breaker around the clients.
pub(super) fn protect(backend: Backend) -> Result<Protected, CircuitBreakerConfigError> {
    let breaker = CircuitBreakerLayer::builder()
        .consecutive_failures(FAILURES)
        .wait_duration_in_open(OPEN_FOR)
        .permitted_calls_in_half_open(PROBES)
        .on_state_transition(|from, to| {
            tracing::warn!(service = SERVICE, ?from, ?to, "circuit breaker")
        });
    let layer = observe(breaker, SERVICE).build()?;
    let calls = tower::service_fn(move |ask| backend.clone().ask(ask));
    Ok(BoxCloneSyncService::new(layer.layer(calls)))
}
