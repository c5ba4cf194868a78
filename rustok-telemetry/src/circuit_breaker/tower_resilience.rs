//! Metrics of the breakers of `tower-resilience-circuitbreaker`.

use tower_resilience_circuitbreaker::{CircuitBreakerConfigBuilder, CircuitState};

use super::{CircuitBreakerRecorder, State};

/// Adds listeners that record the events of a breaker, labelled with the service that it protects. Also sets the name
/// of the breaker.
///
/// Other listeners of the builder are kept. Transitions are recorded in order, because the breaker holds its lock. A
/// call whose future is dropped early is neither a success nor a failure. `rustok_circuit_breaker_failures` counts
/// consecutive failures, whatever makes the breaker open.
///
/// ```
/// use rustok_telemetry::circuit_breaker;
/// use tower_resilience_circuitbreaker::CircuitBreakerLayer;
///
/// let builder = CircuitBreakerLayer::builder().consecutive_failures(5);
/// let layer = circuit_breaker::observe(builder, "inventory").build()?;
/// # Ok::<(), tower_resilience_circuitbreaker::CircuitBreakerConfigError>(())
/// ```
pub fn observe<C>(
    builder: CircuitBreakerConfigBuilder<C>,
    service: &str,
) -> CircuitBreakerConfigBuilder<C> {
    let recorder = CircuitBreakerRecorder::new(service);
    let (successes, failures, rejections) = (recorder.clone(), recorder.clone(), recorder.clone());
    builder
        .name(service)
        .on_success(move |_| successes.success())
        .on_failure(move |_| failures.failure())
        .on_call_rejected(move || rejections.rejected())
        .on_state_transition(move |from, to| recorder.transition(state(from), state(to)))
}

fn state(state: CircuitState) -> State {
    match state {
        CircuitState::Closed => State::Closed,
        CircuitState::Open => State::Open,
        CircuitState::HalfOpen => State::HalfOpen,
    }
}
