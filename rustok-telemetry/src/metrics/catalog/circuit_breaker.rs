//! Metrics of circuit breakers.

/// Declarations; the functions are re-exported by [`metrics`](super).
#[crate::metrics(namespace = "rustok", subsystem = "circuit_breaker")]
pub(crate) mod declared {
    /// State of the breaker: 0 closed, 1 open, 2 half-open.
    #[gauge(name = "state")]
    pub fn update_circuit_breaker_state(#[label(budget = 30)] service: &str, state: i64);

    /// Changes of the breaker's state.
    #[counter(name = "transitions_total", series = 200)]
    pub fn record_circuit_breaker_transition(
        #[label(budget = 30)] service: &str,
        #[label(budget = 5)] from_state: &str,
        #[label(budget = 5)] to_state: &str,
    );

    /// Calls through the breaker by result: success, failure or rejected.
    #[counter(name = "calls_total")]
    pub fn record_circuit_breaker_call(
        #[label(budget = 30)] service: &str,
        #[label(budget = 5)] result: &str,
    );

    /// Failures that the breaker counts at present.
    #[gauge(name = "failures")]
    pub fn update_circuit_breaker_failures(#[label(budget = 30)] service: &str, failures: i64);
}
