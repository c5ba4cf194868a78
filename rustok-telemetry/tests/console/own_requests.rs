//! The console's requests are in no metric, trace or log of the service.

use serde_json::Value;

use crate::{
    service::{Service, items, with_console},
    support::{samples, text},
};

#[tokio::test]
#[test_fork::fork]
async fn requests_of_the_console_leave_no_trace() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    let peer = service.url("");
    rustok_telemetry::console::follow("itself", &peer).expect("a loopback address");
    service.work("one").await;
    for _ in 0..3 {
        for path in [
            "",
            "/assets/app.js",
            "/api/state",
            "/api/metrics",
            "/api/series?metric=a",
            "/api/traces",
            "/api/operations",
            "/api/logs",
            "/api/telemetry",
            "/peer/itself/api/state",
            "/api/none",
        ] {
            service.send(path).await;
        }
    }
    let traces = service.get("/api/traces").await;
    assert_eq!(items(&traces).len(), 1, "{traces:#}");
    let state = service.get("/api/state").await;
    assert_eq!(
        (&state["kept"]["spans"], &state["kept"]["log_lines"]),
        (&Value::from(2), &Value::from(2))
    );
    let text = text();
    let requests = samples(&text, "rustok_http_requests_total");
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(
        samples(&text, "rustok_spans_created_total")
            .values()
            .all(|count| count == "1"),
        "{text}"
    );
    // One of the threads has that name.
    let mut lines = text.lines().filter(|line| line.contains("console"));
    assert!(
        lines.all(|line| line.contains(r#"thread="telemetry-console""#)),
        "{text}"
    );
}
