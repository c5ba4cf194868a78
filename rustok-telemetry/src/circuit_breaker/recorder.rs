//! What a breaker of any kind tells about itself.

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
    /// Calls pass.
    Closed = 0,
    /// Calls are rejected.
    Open = 1,
    /// A few calls pass, to see whether they succeed.
    HalfOpen = 2,
}

/// Records what a circuit breaker does, under the name of the service that it protects. Clones share the breaker.
///
/// The gauges are those of one breaker: another one has another name. When the last clone is dropped, both are 0.
///
/// ```
/// use rustok_telemetry::circuit_breaker::{Recorder, State};
///
/// let recorder = Recorder::new("inventory");
/// recorder.success();
/// recorder.transition(State::Closed, State::Open);
/// ```
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
    /// A recorder for the breaker in front of this service, closed and without failures. The name becomes a label:
    /// there must be few.
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

    /// The breaker went from one state to another. Nothing is recorded if the two are the same.
    ///
    /// To be called while the breaker holds its lock, if it has one: else two threads may tell of their transitions in
    /// the wrong order, and the gauge shows the state that was told last.
    pub fn transition(&self, from: State, to: State) {
        if from == to {
            return;
        }
        let Breaker {
            service,
            state,
            failures,
            ..
        } = &*self.breaker;
        metrics::record_circuit_breaker_transition(service, from.as_label(), to.as_label());
        state.set(service, to as i64);
        if to == State::Closed {
            failures.set(service, 0);
        }
    }

    /// A call succeeded; failures are counted from 0 again.
    pub fn success(&self) {
        let Breaker {
            service, failures, ..
        } = &*self.breaker;
        metrics::record_circuit_breaker_call(service, "success");
        failures.set(service, 0);
    }

    /// A call failed.
    pub fn failure(&self) {
        let Breaker {
            service, failures, ..
        } = &*self.breaker;
        metrics::record_circuit_breaker_call(service, "failure");
        failures.add_one(service);
    }

    /// A call was not tried, because the breaker is open or has seen enough calls while half-open.
    pub fn rejected(&self) {
        metrics::record_circuit_breaker_call(&self.breaker.service, "rejected");
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

/// A gauge that is set when it changes, and before each collection in case that it never does.
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
        // A load is cheaper than a swap, and nearly every success finds no failures.
        if self.value.load(Ordering::SeqCst) != value {
            self.value.store(value, Ordering::SeqCst);
            self.report(service);
        }
    }

    fn add_one(&self, service: &str) {
        self.value.fetch_add(1, Ordering::SeqCst);
        self.report(service);
    }

    /// Sets the gauge until it shows the present value: other threads set it too.
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
        // So that threads overtake each other here.
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
