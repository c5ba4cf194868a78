//! Text that means harm comes out as the text that it is.

use std::fmt;

use opentelemetry::{KeyValue, global};
use rustok_telemetry::metrics;
use serde_json::{Value, json};

use crate::service::{Service, items, with_console};

#[tokio::test]
#[test_fork::fork]
async fn hostile_text_is_unchanged() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    let long = "ä".repeat(50_000);
    let counter = global::meter("foreign")
        .u64_counter("hostile")
        .with_description("</script>\u{202e}")
        .build();
    for text in [
        "</script><script>alert(1)</script>",
        "\"quotes\" and \\ and \u{1}\n\0",
        "\u{202e}desrever",
        "{\"json\":[1]}",
        &long,
    ] {
        {
            let span = tracing::info_span!(
                "hostile",
                otel.name = text,
                payload = text,
                tenant_id = text
            );
            let _entered = span.entered();
            tracing::error!(payload = text, "{text}");
        }
        counter.add(1, &[KeyValue::new(text.to_owned(), text.to_owned())]);
        metrics::record_event_published(text, "acme");
        let traces = service
            .wait_for("/api/traces?limit=1", |traces| traces[0]["name"] == text)
            .await;
        assert_eq!(traces[0]["tenant"], text);
        let id = traces[0]["trace_id"].as_str().expect("an id");
        let trace = service.get(&format!("/api/traces/{id}")).await;
        assert_eq!(trace["spans"][0]["attributes"]["payload"], text);
        assert_eq!(trace["logs"][0]["text"], text);
        assert_eq!(trace["logs"][0]["attributes"]["payload"], text);
        let logs = service.get("/api/logs?limit=1").await;
        assert_eq!(logs["lines"][0]["text"], text);
    }
    let has_all = |answer: &Value| {
        let series = answer["metrics"]["hostile"]["series"].as_array();
        series.is_some_and(|series| series.len() == 5)
    };
    let answer = service
        .wait_for("/api/series?metric=hostile", has_all)
        .await;
    assert_eq!(answer["metrics"]["hostile"]["help"], "</script>\u{202e}");
    let series = items(&answer["metrics"]["hostile"]["series"]);
    let labels: Vec<_> = series.iter().map(|series| &series["labels"]).collect();
    let reversed = json!({"\u{202e}desrever": "\u{202e}desrever"});
    assert!(
        labels.contains(&&reversed) && labels.contains(&&json!({&long: &long})),
        "{labels:?}"
    );
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("as tests do")
    }
}

#[tokio::test]
#[test_fork::fork]
async fn a_value_that_panics_leaves_the_console_alive() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    for record in [
        || drop(tracing::info_span!("panics", value = ?Panics)),
        || tracing::info!(value = ?Panics, "panics"),
        || tracing::info!("{Panics:?}"),
    ] {
        assert!(std::panic::catch_unwind(record).is_err());
    }
    service.work("after").await;
    let is_kept = |traces: &Value| traces[0]["name"] == "GET /tasks/{task}";
    service.wait_for("/api/traces?limit=1", is_kept).await;
    service.get("/api/logs").await;
}
