//! The context of an event travels with it: in memory, in headers, in a table.

mod support;

use opentelemetry::trace::{SpanId, TraceContextExt};
use rustok_telemetry::propagation::{self, EventContext};
use support::{exported::Exporting, text_only, with_variables};

#[test_fork::test]
fn a_handler_is_a_child_of_the_publisher() {
    let exporting = Exporting::start();
    {
        let event = tracing::info_span!("publish").in_scope(EventContext::current);
        let _loop_of_the_worker = tracing::info_span!("worker").entered();
        let handler = tracing::info_span!("handle");
        event.follow(&handler);
        handler.in_scope(|| {});
        // Published where there was no span: a trace of its own, not the worker's.
        let orphan = tracing::info_span!("orphan");
        EventContext::default().follow(&orphan);
        orphan.in_scope(|| {});
    }
    let (publisher, handler) = (exporting.span("publish"), exporting.span("handle"));
    assert_eq!(handler.parent_span_id, publisher.span_context.span_id());
    assert_eq!(
        handler.span_context.trace_id(),
        publisher.span_context.trace_id()
    );
    assert_eq!(exporting.span("orphan").parent_span_id, SpanId::INVALID);
}

#[test_fork::test]
fn a_batch_links_to_all_its_publishers() {
    let exporting = Exporting::start();
    {
        let mut events: Vec<_> = ["first", "second", "third"]
            .map(|name| tracing::info_span!("publish", otel.name = name))
            .map(|span| span.in_scope(EventContext::current))
            .into();
        events.push(EventContext::default());
        events.push(EventContext::from_entries([("traceparent", "nonsense")]));
        let batch = tracing::info_span!("batch");
        propagation::link(&batch, &events[..2]);
        batch.in_scope(|| {
            // Also once the span has begun, and events without a trace never.
            propagation::link(&batch, &events[2..]);
        });
    }
    let batch = exporting.span("batch");
    assert_eq!(batch.parent_span_id, SpanId::INVALID);
    let linked: Vec<_> = batch
        .links
        .iter()
        .map(|link| link.span_context.span_id())
        .collect();
    let publishers = ["first", "second", "third"].map(|name| exporting.span(name));
    assert_eq!(linked, publishers.map(|span| span.span_context.span_id()));
}

#[test_fork::test]
fn headers_of_bytes_carry_the_context() {
    let telemetry = text_only().init().expect("telemetry starts");
    let event = tracing::info_span!("publish").in_scope(EventContext::current);
    let mut headers: Vec<(String, Vec<u8>)> = event
        .entries()
        .map(|(key, value)| (key.to_ascii_uppercase(), value.as_bytes().to_vec()))
        .collect();
    headers.push(("checksum".to_owned(), vec![0xff, 0xfe]));
    headers.push(("content-type".to_owned(), b"text/plain".to_vec()));
    let borrowed = headers
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_slice()));
    let received = EventContext::from_byte_headers(borrowed);
    let entries: Vec<_> = received.entries().map(|(key, _)| key).collect();
    assert_eq!(entries, ["content-type", "traceparent"]);
    let context = propagation::extract(&received);
    let expected = propagation::extract(&event);
    assert!(context.span().span_context().is_valid());
    assert_eq!(
        context.span().span_context(),
        expected.span().span_context()
    );
    let _ = telemetry.shutdown();
}

/// The tenant is added; what was there stays, and a debug trace of B3 stays one.
#[test_fork::test]
fn sending_the_tenant_changes_nothing_else() {
    let variables = [("OTEL_PROPAGATORS", "b3,baggage")];
    let telemetry = with_variables(&variables).init().expect("telemetry starts");
    let b3 = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-d";
    let caller = EventContext::from_entries([
        ("b3", b3),
        ("baggage", "color=red,tenant_id=globex"),
        ("content-type", "text/plain"),
    ]);
    let span = tracing::info_span!("handle", tenant_id = "acme");
    caller.follow(&span);
    let sent = span.in_scope(EventContext::current).send_tenant();
    let entries: Vec<_> = sent.entries().collect();
    let (_, b3) = entries[0];
    assert!(b3.starts_with("4bf92f3577b34da6a3ce929d0e0e4736-") && b3.ends_with("-d"));
    let (_, baggage) = entries[1];
    let mut baggage: Vec<_> = baggage.split(',').collect();
    baggage.sort_unstable();
    assert_eq!(baggage, ["color=red", "tenant_id=acme"]);
    // Nobody's tenant is none: that of the caller is not passed on.
    let passed_on: Vec<_> = caller.clone().send_tenant().entries().map(own).collect();
    let expected = [
        ("b3", b3_of(&caller)),
        ("baggage", "color=red"),
        ("content-type", "text/plain"),
    ];
    assert_eq!(passed_on, expected.map(own));
    let _ = telemetry.shutdown();
}

fn own((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn b3_of(context: &EventContext) -> &str {
    context.entries().next().expect("b3").1
}

#[cfg(feature = "serde")]
#[test_fork::test]
fn an_outbox_keeps_the_context() {
    let telemetry = text_only().init().expect("telemetry starts");
    let event = tracing::info_span!("publish", tenant_id = "acme").in_scope(EventContext::current);
    let row = serde_json::to_value(&event).expect("a map");
    let keys: Vec<_> = row.as_object().expect("a map").keys().collect();
    assert_eq!(keys, ["traceparent"], "no tenant");
    let row = serde_json::to_string(&event.clone().send_tenant()).expect("a map");
    let kept: EventContext = serde_json::from_str(&row).expect("a map");
    assert_eq!(
        kept.tenant().map(|tenant| tenant.as_str()),
        None,
        "not believed"
    );
    assert_eq!(
        propagation::extract(&kept).span().span_context(),
        propagation::extract(&event).span().span_context()
    );
    assert_eq!(
        kept.trust_tenant().tenant().map(|tenant| tenant.as_str()),
        Some("acme")
    );
    assert!(serde_json::from_str::<EventContext>("{\"traceparent\":1}").is_err());
    let _ = telemetry.shutdown();
}

#[test]
fn without_telemetry_nothing_is_injected() {
    let span = tracing::info_span!("work");
    let event = span
        .in_scope(EventContext::current)
        .send_tenant()
        .trust_tenant();
    assert_eq!(event, EventContext::default());
    let received = EventContext::from_entries([(
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )]);
    received.follow(&span);
    received.link(&span);
    let mut headers = http::HeaderMap::new();
    span.in_scope(|| propagation::inject_headers_with_tenant(&mut headers));
    assert!(headers.is_empty());
}

/// A header that cannot be read is still a header.
#[test_fork::test]
fn repeated_byte_headers_are_joined_or_malformed() {
    let telemetry = text_only().init().expect("telemetry starts");
    let parent: &[u8] = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let names_trace = |headers: &[(&'static str, &'static [u8])]| {
        let context = EventContext::from_byte_headers(headers.iter().copied());
        propagation::extract(&context)
            .span()
            .span_context()
            .is_valid()
    };
    assert!(names_trace(&[("traceparent", parent), ("other", b"\xff")]));
    for repeated in [
        [("traceparent", parent), ("TraceParent", parent)],
        [("traceparent", parent), ("traceparent", b"\xff")],
        [("traceparent", b"\xff"), ("traceparent", parent)],
    ] {
        assert!(!names_trace(&repeated), "{repeated:?}");
    }
    let states: [(&str, &[u8]); 2] = [("tracestate", b"a=1"), ("Tracestate", b"b=2")];
    let joined = EventContext::from_byte_headers(states);
    assert_eq!(
        joined.entries().collect::<Vec<_>>(),
        [("tracestate", "a=1,b=2")]
    );
    let _ = telemetry.shutdown();
}
