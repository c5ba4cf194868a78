//! A real breaker of `tower-resilience-circuitbreaker`, through all of its states.
#![cfg(feature = "tower-resilience")]

mod support;

use std::{convert::Infallible, future::pending, time::Duration};

use futures::FutureExt;
use rustok_telemetry::circuit_breaker::observe;
use support::{assert_samples, text, text_only};
use tokio::time::sleep;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};

const INVENTORY: &str = r#"{service="inventory"}"#;
const OPEN_FOR: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Succeeds,
    Fails,
    NeverEnds,
}

async fn serve(call: Call) -> Result<(), &'static str> {
    match call {
        Call::Succeeds => Ok(()),
        Call::Fails => Err("on purpose"),
        Call::NeverEnds => {
            let never: Infallible = pending().await;
            match never {}
        }
    }
}

#[track_caller]
fn assert_gauges(state: &str, failures: &str) {
    let text = text();
    assert_samples(&text, "rustok_circuit_breaker_state", &[(INVENTORY, state)]);
    assert_samples(
        &text,
        "rustok_circuit_breaker_failures",
        &[(INVENTORY, failures)],
    );
}

#[tokio::test]
#[test_fork::fork]
async fn each_step_of_a_breaker_is_recorded() {
    let telemetry = text_only().init().expect("telemetry starts");
    let builder = CircuitBreakerLayer::builder()
        .consecutive_failures(2)
        .wait_duration_in_open(OPEN_FOR)
        .permitted_calls_in_half_open(1);
    let layer = observe(builder, "inventory").build().expect("a breaker");
    let mut service = layer.layer(service_fn(serve));
    let mut call = async |call| {
        let ready = service.ready().await.expect("ready");
        ready.call(call).await
    };
    assert_gauges("0", "0");
    assert!(call(Call::Succeeds).await.is_ok());
    for failures in ["1", "2"] {
        assert!(call(Call::Fails).await.is_err());
        assert_gauges(if failures == "1" { "0" } else { "1" }, failures);
    }
    let rejected = call(Call::Succeeds).await;
    assert!(matches!(rejected, Err(CircuitBreakerError::OpenCircuit)));

    sleep(OPEN_FOR * 2).await;
    assert!(call(Call::NeverEnds).now_or_never().is_none());
    assert_gauges("2", "2");
    assert!(call(Call::Fails).await.is_err());
    assert_gauges("1", "3");

    sleep(OPEN_FOR * 2).await;
    assert!(call(Call::Succeeds).await.is_ok());
    assert_gauges("0", "0");
    let text = text();
    assert_samples(
        &text,
        "rustok_circuit_breaker_transitions_total",
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
                r#"{from_state="half_open",service="inventory",to_state="open"}"#,
                "1",
            ),
            (
                r#"{from_state="open",service="inventory",to_state="half_open"}"#,
                "2",
            ),
        ],
    );
    assert_samples(
        &text,
        "rustok_circuit_breaker_calls_total",
        &[
            (r#"{result="failure",service="inventory"}"#, "3"),
            (r#"{result="rejected",service="inventory"}"#, "1"),
            (r#"{result="success",service="inventory"}"#, "2"),
        ],
    );
    let _ = telemetry.shutdown();
}
