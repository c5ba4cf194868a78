//! Metrics of circuit breakers: state, transitions and calls.
//!
//! A [`CircuitBreakerRecorder`] records the events of any circuit breaker:
//!
//! ```
//! use rustok_telemetry::circuit_breaker::{CircuitBreakerRecorder, State};
//!
//! let recorder = CircuitBreakerRecorder::new("inventory");
//! recorder.failure(); // a call failed
//! recorder.transition(State::Closed, State::Open);
//! recorder.rejected(); // the next call was not attempted
//! ```
//!
//! With the Cargo feature `tower-resilience`, `circuit_breaker::observe` records the breakers of
//! `tower-resilience-circuitbreaker`.
//!
//! # What is recorded
//!
//! - `rustok_circuit_breaker_state{service}`: 0 closed, 1 open, 2 half-open;
//! - `rustok_circuit_breaker_transitions_total{service,from_state,to_state}`;
//! - `rustok_circuit_breaker_calls_total{service,result}`: `success`, `failure`, `rejected`;
//! - `rustok_circuit_breaker_failures{service}`: failures since the last success.
//!
//! Both gauges exist from the first collection on.

mod recorder;
#[cfg(feature = "tower-resilience")]
mod tower_resilience;

pub use self::recorder::{CircuitBreakerRecorder, State};

#[cfg(feature = "tower-resilience")]
pub use self::tower_resilience::observe;
