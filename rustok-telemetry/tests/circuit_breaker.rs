//! What a circuit breaker of any kind records.

mod support;

use rustok_telemetry::{
    circuit_breaker::{CircuitBreakerRecorder, State},
    lost_records,
};
use support::{assert_samples, text, text_only};

const STATE: &str = "rustok_circuit_breaker_state";
const FAILURES: &str = "rustok_circuit_breaker_failures";
const TRANSITIONS: &str = "rustok_circuit_breaker_transitions_total";
const CALLS: &str = "rustok_circuit_breaker_calls_total";
const INVENTORY: &str = r#"{service="inventory"}"#;

#[track_caller]
fn assert_gauges(state: &str, failures: &str) {
    let text = text();
    assert_samples(&text, STATE, &[(INVENTORY, state)]);
    assert_samples(&text, FAILURES, &[(INVENTORY, failures)]);
}

#[test_fork::test]
fn gauges_and_counters_agree() {
    // Before `init`, as a breaker may be made.
    let recorder = CircuitBreakerRecorder::new("inventory");
    let telemetry = text_only().init().expect("telemetry starts");
    assert_gauges("0", "0");
    recorder.failure();
    recorder.success();
    assert_gauges("0", "0");
    recorder.failure();
    recorder.failure();
    recorder.transition(State::Closed, State::Open);
    recorder.rejected();
    assert_gauges("1", "2");
    recorder.transition(State::Open, State::HalfOpen);
    recorder.transition(State::HalfOpen, State::HalfOpen);
    assert_gauges("2", "2");
    recorder.success();
    assert_gauges("2", "0");
    recorder.failure();
    recorder.transition(State::HalfOpen, State::Closed);
    assert_gauges("0", "0");
    let text = text();
    assert_samples(
        &text,
        TRANSITIONS,
        &[
            (
                r#"{from_state="closed",service="inventory",to_state="open"}"#,
                "1",
            ),
            (
                r#"{from_state="half_open",service="inventory",to_state="closed"}"#,
                "1",
            ),
            (
                r#"{from_state="open",service="inventory",to_state="half_open"}"#,
                "1",
            ),
        ],
    );
    assert_samples(
        &text,
        CALLS,
        &[
            (r#"{result="failure",service="inventory"}"#, "4"),
            (r#"{result="rejected",service="inventory"}"#, "1"),
            (r#"{result="success",service="inventory"}"#, "2"),
        ],
    );
    assert_eq!(lost_records().before_init, 0);

    recorder.transition(State::Closed, State::Open);
    let clone = recorder.clone();
    drop(recorder);
    assert_gauges("1", "0");
    drop(clone);
    assert_gauges("0", "0");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_call_does_not_allocate_at_steady_state() {
    let telemetry = text_only().init().expect("telemetry starts");
    let recorder = CircuitBreakerRecorder::new("inventory");
    let calls = || {
        recorder.failure();
        recorder.success();
        recorder.rejected();
        recorder.transition(State::Closed, State::Open);
        recorder.transition(State::Open, State::Closed);
    };
    calls();
    let info = allocation_counter::measure(|| (0..100).for_each(|_| calls()));
    assert_eq!(info.count_total, 0, "{info:?}");
    let _ = telemetry.shutdown();
}
