//! The recorder for any circuit breaker.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicI64, Ordering},
};

use crate::{
    LabelValue,
    metrics::{self, ObserverGuard, before_collection},
};

/// The state of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, LabelValue)]
#[repr(u8)]
pub enum State {
    /// Calls are attempted.
    Closed = 0,
    /// Calls are rejected.
    Open = 1,
    /// A few calls are attempted, to test whether they succeed.
    HalfOpen = 2,
}

/// Records the events of a circuit breaker, labelled with the service that it protects. Clones share the breaker.
///
/// Use a different name for each breaker, because its gauges have one writer. Dropping the last clone sets both to 0.
#[derive(Debug, Clone)]
pub struct CircuitBreakerRecorder {
    breaker: Arc<Breaker>,
}

#[derive(Debug)]
struct Breaker {
    service: Arc<str>,
    state: Level,
    failures: Level,
    _hook: ObserverGuard,
}

impl CircuitBreakerRecorder {
    /// Creates a recorder for the breaker of this service, closed and without failures. The name is a label: use few.
    pub fn new(service: impl Into<Arc<str>>) -> Self {
        let breaker = Arc::new_cyclic(|breaker: &Weak<Breaker>| {
            let breaker = breaker.clone();
            let hook = before_collection(move || {
                if let Some(breaker) = breaker.upgrade() {
                    breaker.report();
                }
            });
            Breaker {
                service: service.into(),
                state: Level::new(metrics::update_circuit_breaker_state),
                failures: Level::new(metrics::update_circuit_breaker_failures),
                _hook: hook,
            }
        });
        Self { breaker }
    }

    /// Records a transition. Does nothing if both states are the same.
    ///
    /// Call this while the breaker holds its lock, if it has one. Otherwise two threads may record their transitions in
    /// the wrong order, and the gauge keeps the wrong state.
    pub fn transition(&self, from: State, to: State) {
        if from == to {
            return;
        }
        let service = &self.breaker.service;
        metrics::record_circuit_breaker_transition(service, from.as_label(), to.as_label());
        self.breaker.state.set(service, to as i64);
        if to == State::Closed {
            self.breaker.failures.set(service, 0);
        }
    }

    /// Records a successful call, and resets the failures to 0.
    pub fn success(&self) {
        self.count("success");
        self.breaker.failures.set(&self.breaker.service, 0);
    }

    /// Records a failed call.
    pub fn failure(&self) {
        self.count("failure");
        self.breaker.failures.add_one(&self.breaker.service);
    }

    /// Records a rejected call: the breaker is open, or half-open with enough calls in flight.
    pub fn rejected(&self) {
        self.count("rejected");
    }

    fn count(&self, result: &str) {
        metrics::record_circuit_breaker_call(&self.breaker.service, result);
    }
}

impl Breaker {
    fn report(&self) {
        self.state.report(&self.service);
        self.failures.report(&self.service);
    }
}

impl Drop for Breaker {
    fn drop(&mut self) {
        self.state.set(&self.service, 0);
        self.failures.set(&self.service, 0);
    }
}

/// A gauge that is set on each change, and before each collection in case it never changes.
#[derive(Debug)]
struct Level {
    value: AtomicI64,
    gauge: fn(&str, i64),
}

impl Level {
    fn new(gauge: fn(&str, i64)) -> Self {
        Self {
            value: AtomicI64::new(0),
            gauge,
        }
    }

    fn set(&self, service: &str, value: i64) {
        // A load is cheaper than a swap, and after most successes the value is already 0.
        if self.value.load(Ordering::SeqCst) != value {
            self.value.store(value, Ordering::SeqCst);
            self.report(service);
        }
    }

    fn add_one(&self, service: &str) {
        self.value.fetch_add(1, Ordering::SeqCst);
        self.report(service);
    }

    /// Sets the gauge until it has the current value, because other threads set it concurrently.
    fn report(&self, service: &str) {
        let mut value = self.value.load(Ordering::SeqCst);
        loop {
            (self.gauge)(service, value);
            let now = self.value.load(Ordering::SeqCst);
            if now == value {
                return;
            }
            value = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicI64, Ordering},
        thread,
    };

    use super::Level;

    static SHOWN: AtomicI64 = AtomicI64::new(0);

    fn show(_: &str, value: i64) {
        // Lets threads overtake each other.
        thread::yield_now();
        SHOWN.store(value, Ordering::SeqCst);
    }

    #[test]
    fn the_gauge_shows_the_last_value_though_threads_overtake_each_other() {
        for round in 1..200 {
            let failures = Level::new(show);
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| (0..round % 7 + 1).for_each(|_| failures.add_one("inventory")));
                }
                scope.spawn(|| failures.set("inventory", 0));
            });
            let last = failures.value.load(Ordering::SeqCst);
            assert_eq!(SHOWN.load(Ordering::SeqCst), last);
        }
    }
}
