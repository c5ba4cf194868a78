//! The state of a circuit breaker, and what becomes of the calls through it.
//!
//! A breaker of any kind tells a [`CircuitBreakerRecorder`] what happens to it:
//!
//! ```
//! use rustok_telemetry::circuit_breaker::{Recorder, State};
//!
//! let recorder = Recorder::new("inventory");
//! recorder.failure();                               // A call failed,
//! recorder.transition(State::Closed, State::Open);  // so the breaker opened,
//! recorder.rejected();                              // and the next call wasn't even tried.
//! ```
//!
//! With the feature `tower-resilience`, `circuit_breaker::observe` does this for the breakers of
//! `tower-resilience-circuitbreaker`.
//!
//! # What is recorded
//!
//! - `rustok_circuit_breaker_state{service}`: 0 closed, 1 open, 2 half-open;
//! - `rustok_circuit_breaker_transitions_total{service,from_state,to_state}`;
//! - `rustok_circuit_breaker_calls_total{service,result}`: `success`, `failure`, `rejected`;
//! - `rustok_circuit_breaker_failures{service}`: failures since the last success.
//!
//! Both gauges are there from the first collection on, though nothing has happened yet.

mod recorder;
#[cfg(feature = "tower-resilience")]
mod tower_resilience;

pub use self::recorder::{CircuitBreakerRecorder, State};

#[cfg(feature = "tower-resilience")]
pub use self::tower_resilience::observe;
