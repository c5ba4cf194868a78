//! Breakers of `tower-resilience-circuitbreaker`.

use tower_resilience_circuitbreaker::{CircuitBreakerConfigBuilder, CircuitState};

use super::{CircuitBreakerRecorder, State};

/// Lets a breaker of `tower-resilience-circuitbreaker` record what it does, under the name of the service that it
/// protects, which also becomes the breaker's own name.
///
/// Listeners that the builder has already, or gets later, stay. Transitions are recorded while the breaker holds its
/// lock, so the state is always the last one. A call whose future is dropped is neither a success nor a failure.
/// `rustok_circuit_breaker_failures` counts failures in a row, whichever model the breaker opens by.
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
