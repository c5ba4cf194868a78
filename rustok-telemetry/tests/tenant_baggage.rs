//! The tenant leaves the process, and is believed, only where the service says so.
#![cfg(feature = "axum")]

mod support;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
    routing::get,
};
use http_body_util::BodyExt;
use rustok_telemetry::{
    http::TelemetryLayer,
    propagation::{self, EventContext},
    tenant,
};
use support::{samples, text, text_only, with_variables};
use tower::ServiceExt;

/// The tenant of a request with this baggage, and the baggage of the request that follows.
async fn tenant_of_request(layer: TelemetryLayer, baggage: &str) -> (String, String) {
    async fn tenant_and_baggage() -> String {
        let mut headers = HeaderMap::new();
        propagation::inject_headers(&mut headers);
        let baggage = headers.get("baggage").map(|value| value.to_str());
        let baggage = baggage.transpose().expect("text").unwrap_or_default();
        format!("{}\n{baggage}", tenant::label())
    }
    let app = Router::new()
        .route("/", get(tenant_and_baggage))
        .layer(layer);
    let request = Request::builder()
        .uri("/")
        .header("baggage", baggage)
        .body(Body::empty())
        .expect("a request");
    let response = app.oneshot(request).await.expect("infallible");
    let body = response.into_body().collect().await.expect("a body");
    let body = String::from_utf8(body.to_bytes().to_vec()).expect("text");
    let (tenant, baggage) = body.split_once('\n').expect("two lines");
    (tenant.to_owned(), baggage.to_owned())
}

#[tokio::test]
#[test_fork::fork]
async fn a_callers_tenant_is_ignored_and_not_forwarded() {
    let telemetry = text_only().init().expect("telemetry starts");
    let layer = TelemetryLayer::new();
    let (tenant, baggage) = tenant_of_request(layer, "tenant_id=acme,color=red").await;
    assert_eq!(tenant, "none");
    assert_eq!(baggage, "color=red");
    let created = samples(&text(), "rustok_spans_created_total");
    assert_eq!(
        created.into_iter().collect::<Vec<_>>(),
        [(
            r#"{operation="http_request",tenant_id="none"}"#.to_owned(),
            "1".to_owned()
        )]
    );
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn an_internal_service_accepts_a_callers_tenant() {
    let telemetry = text_only().init().expect("telemetry starts");
    let layer = TelemetryLayer::new().tenant_from_baggage();
    let (tenant, baggage) = tenant_of_request(layer, "color=red,tenant_id=acme%20inc").await;
    assert_eq!(tenant, "acme inc");
    assert_eq!(baggage, "color=red", "it is not passed on by default");
    let created = samples(&text(), "rustok_spans_created_total");
    assert_eq!(
        created.into_iter().collect::<Vec<_>>(),
        [(
            r#"{operation="http_request",tenant_id="acme inc"}"#.to_owned(),
            "1".to_owned()
        )]
    );
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn invalid_tenants_are_never_accepted() {
    let telemetry = text_only().init().expect("telemetry starts");
    let layer = TelemetryLayer::new().tenant_from_baggage();
    let long = "x".repeat(129);
    for hostile in [
        "",
        "%20",
        "%00",
        "acme%0Ainjected",
        "acme%1b[31m",
        "ac%25me",
        "%ff",
        "%C2%85",
        long.as_str(),
    ] {
        let (tenant, _) = tenant_of_request(layer.clone(), &format!("tenant_id={hostile}")).await;
        assert_eq!(tenant, "none", "{hostile:?}");
    }
    let longest = "x".repeat(128);
    let (tenant, _) = tenant_of_request(layer, &format!("tenant_id={longest}")).await;
    assert_eq!(tenant, longest);
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn jaegers_baggage_is_no_way_around() {
    let variables = [("OTEL_PROPAGATORS", "tracecontext,jaeger")];
    let telemetry = with_variables(&variables).init().expect("telemetry starts");
    let headers = HeaderMap::from_iter([(
        "uberctx-tenant_id".parse().expect("a name"),
        "globex".parse().expect("a value"),
    )]);
    let span = tracing::info_span!("request");
    propagation::set_parent(&span, propagation::extract_headers(&headers));
    let mut sent = HeaderMap::new();
    span.in_scope(|| propagation::inject_headers(&mut sent));
    assert!(sent.contains_key("traceparent"));
    assert!(!sent.contains_key("uberctx-tenant_id"), "{sent:?}");
    let own = tracing::info_span!(parent: &span, "own", tenant_id = "acme");
    own.in_scope(|| propagation::inject_headers_with_tenant(&mut sent));
    assert_eq!(sent["uberctx-tenant_id"], "acme");
    let _ = telemetry.shutdown();
}

/// Jaeger's headers fold the case of keys, so another key would become the tenant of the next service.
#[test_fork::test]
fn a_key_in_another_case_does_not_become_the_tenant() {
    let variables = [("OTEL_PROPAGATORS", "baggage,jaeger")];
    let telemetry = with_variables(&variables).init().expect("telemetry starts");
    let headers = HeaderMap::from_iter([(
        "baggage".parse().expect("a name"),
        "tenant_iD=globex,user=7".parse().expect("a value"),
    )]);
    let mut sent = HeaderMap::new();
    {
        let _received = propagation::extract_headers(&headers).attach();
        propagation::inject_headers(&mut sent);
    }
    assert_eq!(sent["uberctx-user"], "7");
    assert!(!sent.contains_key("uberctx-tenant_id"), "{sent:?}");
    let _ = telemetry.shutdown();
}

/// In one format, and in two: all headers together name one tenant, or none.
#[test_fork::test]
fn contradicting_jaeger_tenants_are_not_accepted() {
    let variables = [("OTEL_PROPAGATORS", "jaeger,baggage")];
    let telemetry = with_variables(&variables).init().expect("telemetry starts");
    for (headers, expected) in [
        (vec![("uberctx-tenant_id", "acme")], Some("acme")),
        (vec![("uberctx-tenant_id", "a%2Cb")], Some("a,b")),
        (
            vec![
                ("uberctx-tenant_id", "acme"),
                ("uberctx-tenant_id", "globex"),
            ],
            None,
        ),
        (vec![("uberctx-tenant_id", "acme, globex")], None),
        (vec![("uberctx-tenant_id", "%ff")], None),
        (
            vec![("uberctx-tenant_id", "acme"), ("baggage", "tenant_id=acme")],
            Some("acme"),
        ),
        (
            vec![
                ("uberctx-tenant_id", "acme"),
                ("baggage", "tenant_id=globex"),
            ],
            None,
        ),
        (
            vec![("uberctx-tenant_id", "acme"), ("baggage", "tenant_id")],
            None,
        ),
        (
            vec![("uberctx-tenant_id", "%ff"), ("baggage", "tenant_id=acme")],
            None,
        ),
    ] {
        let believed = EventContext::from_entries(headers.iter().copied()).trust_tenant();
        assert_eq!(
            believed.tenant().map(|tenant| tenant.as_str()),
            expected,
            "{headers:?}"
        );
    }
    let _ = telemetry.shutdown();
}

/// The tenant may be all that a baggage has.
#[test_fork::test]
fn a_received_tenant_is_not_forwarded() {
    let telemetry = text_only().init().expect("telemetry starts");
    let received = EventContext::from_entries([("baggage", "tenant_id=globex")]);
    assert_eq!(received.send_tenant().entries().count(), 0);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_tenant_is_sent_on_request() {
    let telemetry = text_only().init().expect("telemetry starts");
    let sent = || {
        let mut headers = HeaderMap::new();
        propagation::inject_headers_with_tenant(&mut headers);
        let baggage = headers.get("baggage");
        baggage.map(|value| value.to_str().expect("text").to_owned())
    };
    assert_eq!(sent(), None, "there is none");
    tracing::info_span!("work", tenant_id = "acme, inc").in_scope(|| {
        assert_eq!(sent().as_deref(), Some("tenant_id=acme%2C%20inc"));
        let mut headers = HeaderMap::new();
        propagation::inject_headers(&mut headers);
        assert!(!headers.contains_key("baggage"));
    });
    let cannot_travel = tracing::info_span!("work", tenant_id = "a\nb");
    assert_eq!(cannot_travel.in_scope(sent), None);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn an_event_keeps_the_tenant_within_the_process() {
    let telemetry = text_only().init().expect("telemetry starts");
    let publisher = tracing::info_span!("publish", tenant_id = "acme");
    let event = publisher.in_scope(EventContext::current);
    assert_eq!(event.tenant().map(|tenant| tenant.as_str()), Some("acme"));
    let handled = |event: &EventContext| {
        let span = tracing::info_span!(parent: None, "handle", tenant_id = tracing::field::Empty);
        event.follow(&span);
        span.in_scope(|| tenant::label().to_string())
    };
    assert_eq!(handled(&event), "acme");
    let outside = EventContext::from_entries(event.entries());
    assert!(outside.entries().all(|(key, _)| key != "baggage"));
    assert_eq!(handled(&outside.trust_tenant()), "none");
    let sent = event.send_tenant();
    let received = EventContext::from_entries(sent.entries());
    assert_eq!(handled(&received), "none", "it is not believed");
    assert_eq!(received.tenant().map(|tenant| tenant.as_str()), None);
    assert_eq!(handled(&received.trust_tenant()), "acme");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_tenant_set_by_the_handler_is_kept() {
    let telemetry = text_only().init().expect("telemetry starts");
    let publisher = tracing::info_span!("publish", tenant_id = "acme");
    let event = publisher.in_scope(EventContext::current);
    let worker = tracing::info_span!(parent: None, "worker", tenant_id = "shared").entered();
    for (span, expected) in [
        (
            tracing::info_span!("handle", tenant_id = "globex"),
            "globex",
        ),
        (
            tracing::info_span!("handle", tenant_id = tracing::field::Empty),
            "acme",
        ),
        // An inherited one does not count as its own.
        (tracing::info_span!("handle"), "acme"),
    ] {
        event.follow(&span);
        assert_eq!(span.in_scope(tenant::label).as_ref(), expected);
    }
    let late = tracing::info_span!("handle", tenant_id = tracing::field::Empty);
    late.record("tenant_id", "initech");
    event.follow(&late);
    assert_eq!(late.in_scope(tenant::label).as_ref(), "initech");
    drop(worker);
    let _ = telemetry.shutdown();
}
