//! Spans are the same on both paths: those of this crate's own layer, and those of the SDK, which a service that adds a
//! span processor gets. Each test makes the same spans, and compares what arrives with the same file.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    io,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    Array, Context, KeyValue, StringValue, TraceId, Value, global,
    trace::{
        Link, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags,
        TraceState, Tracer,
    },
};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span as SdkSpan, SpanData, SpanProcessor},
};
use rustok_telemetry::{Builder, propagation, tenant};
use tracing::{Level, debug_span, dispatcher, error, field::Empty, info, info_span, warn};
use tracing_opentelemetry::{OpenTelemetrySpanExt, get_otel_context};

use crate::{builder, receiver::Receiver, support::check_golden};

/// Gets spans of the SDK, and does nothing with them.
#[derive(Debug)]
struct Nothing;

impl SpanProcessor for Nothing {
    fn on_start(&self, _: &mut SdkSpan, _: &Context) {}

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

pub(crate) fn native(builder: Builder) -> Builder {
    builder
}

pub(crate) fn sdk(builder: Builder) -> Builder {
    builder.with_span_processor(Nothing)
}

const LIMITS: &[(&str, &str)] = &[
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "4"),
    ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5"),
    ("OTEL_SPAN_EVENT_COUNT_LIMIT", "2"),
    ("OTEL_SPAN_LINK_COUNT_LIMIT", "1"),
    ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "3"),
    ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "1"),
];

#[test_fork::test]
fn native_spans_are_complete() {
    check("spans.txt", &[], native);
}

#[test_fork::test]
fn spans_of_the_sdk_are_complete() {
    check("spans.txt", &[], sdk);
}

#[test_fork::test]
fn native_spans_have_limits() {
    check("spans_with_limits.txt", LIMITS, native);
}

#[test_fork::test]
fn spans_of_the_sdk_have_limits() {
    check("spans_with_limits.txt", LIMITS, sdk);
}

fn check(golden: &str, variables: &[(&str, &str)], path: fn(Builder) -> Builder) {
    let receiver = Receiver::start();
    let endpoint = receiver.plain();
    let mut all = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    all.extend(variables);
    let telemetry = path(builder(&all)).init().expect("telemetry starts");
    fields();
    special_fields();
    records();
    events();
    interfaces();
    interfaces_after_the_start();
    contexts();
    parents();
    unsampled();
    tenants();
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    check_golden(golden, &shown(&receiver.spans()));
}

fn fields() {
    info_span!(
        "fields",
        signed = -1,
        unsigned = 7_u64,
        large = u64::MAX,
        huge = u128::MAX,
        ratio = 0.5,
        yes = true,
        text = "a long text",
        shown = %"shown",
        debugged = ?["ä", "b"],
        empty = "",
        none = None::<u64>,
    );
    let failed: &dyn std::error::Error = &io::Error::other(Outer);
    info_span!("error", cause = failed).in_scope(|| ());
}

#[derive(Debug)]
struct Outer;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&fmt::Error)
    }
}

fn special_fields() {
    info_span!("static", otel.name = "named", otel.kind = "SERVER").in_scope(|| ());
    info_span!("static", otel.name = %"shown", otel.kind = ?SpanKind::Client).in_scope(|| ());
    info_span!("no kind", otel.kind = "unknown", otel.other = 5_u64).in_scope(|| ());
    for (code, description) in [
        (Some("OK"), None),
        (Some("error"), None),
        (Some("unset"), Some("why")),
        (Some("ok"), Some("why")),
        (Some("ERROR"), Some("why")),
        (None, Some("why")),
    ] {
        let _span = info_span!(
            "status",
            otel.status_code = code,
            otel.status_description = description
        );
        let span = info_span!(
            "recorded status",
            otel.status_code = Empty,
            otel.status_description = Empty
        );
        span.in_scope(|| ());
        if let Some(description) = description {
            span.record("otel.status_description", description);
        }
        if let Some(code) = code {
            span.record("otel.status_code", code);
        }
    }
}

fn records() {
    let span = info_span!("recorded", a = 1, b = Empty, c = Empty, otel.name = Empty);
    span.record("b", 2_u64).record("a", "first");
    span.record("otel.name", "renamed");
    span.in_scope(|| {
        span.record("a", "second").record("c", true);
        span.record("otel.name", "too late");
    });
    span.record("b", 0.5);
}

fn events() {
    let span = info_span!("events");
    info!(parent: &span, early = 1_u64, "before the start");
    let _entered = span.enter();
    info!(
        answer = 42_u64,
        big = u64::MAX,
        ratio = 1.5,
        yes = false,
        "formatted {}",
        1
    );
    info!(answer = 42);
    warn!(text = "text", shown = %1, debugged = ?"quoted");
    tracing::event!(name: "named", Level::INFO, answer = 42);
    info!(target: "somewhere", level = "of the event", "with a level");
    info_span!("failed with text").in_scope(|| error!(error = "text"));
    info_span!("failed with debug").in_scope(|| error!(error = ?Outer));
    info_span!("failed with a message").in_scope(|| error!(error = "text", "message"));
    let failed: &dyn std::error::Error = &io::Error::other(Outer);
    info_span!("failed with an error").in_scope(|| error!(error = failed, "message"));
    info_span!("failed", otel.status_code = "OK").in_scope(|| error!("but ok"));
    info!(parent: None, "of no span");
}

/// The span id of [`remote`].
const REMOTE: u64 = 0xdef;

pub(crate) fn remote(flags: TraceFlags) -> Context {
    let state = TraceState::from_key_value([("vendor", "value")]).expect("valid");
    let (trace, span) = (TraceId::from(0xabc_u128), SpanId::from(REMOTE));
    Context::new().with_remote_span_context(SpanContext::new(trace, span, flags, true, state))
}

fn attributes() -> Vec<KeyValue> {
    let texts: Vec<StringValue> = vec!["one text".into(), "two".into()];
    vec![
        KeyValue::new("first", "a text"),
        KeyValue::new("list", Value::Array(Array::String(texts))),
        KeyValue::new("first", 1),
        KeyValue::new("numbers", Value::Array(vec![1_i64, 2].into())),
    ]
}

fn interfaces() {
    let span = info_span!("interfaces", a = 1, b = Empty, otel.status_code = Empty);
    span.set_attribute("a", 2);
    span.record("a", 3);
    span.set_attribute("b", "set");
    span.set_parent(remote(TraceFlags::SAMPLED))
        .expect("it has not started");
    let link = remote(TraceFlags::SAMPLED).span().span_context().clone();
    span.add_link(link.clone());
    span.add_link_with_attributes(link.clone(), attributes());
    span.add_event("event", attributes());
    span.add_event_with_timestamp("at a time", SystemTime::UNIX_EPOCH, vec![]);
    span.set_status(Status::error("set"));
    let context = span.context();
    assert_eq!(
        context.span().span_context().trace_id(),
        TraceId::from(0xabc_u128)
    );
    assert!(context.span().is_recording() && !context.span().span_context().is_remote());
    assert!(span.set_parent(Context::new()).is_err(), "it has started");
    span.record("otel.status_code", "error");
    // A second shadow, after that of the first span is free.
    drop(span);
    let span = info_span!("interfaces again");
    span.set_attribute("alone", true);
    drop(span);
    let closed = info_span!("never started by itself");
    closed
        .set_parent(remote(TraceFlags::SAMPLED))
        .expect("it has not started");
}

fn interfaces_after_the_start() {
    let span = info_span!("started", a = 1);
    let entered = span.enter();
    span.set_attribute("a", 2);
    span.set_attribute("b", 3);
    span.add_link(
        remote(TraceFlags::NOT_SAMPLED)
            .span()
            .span_context()
            .clone(),
    );
    span.add_link(SpanContext::NONE);
    span.add_event("event", attributes());
    span.set_status(Status::error("first"));
    span.set_status(Status::error(""));
    assert!(span.set_parent(remote(TraceFlags::SAMPLED)).is_err());
    let ids = dispatcher::get_default(|dispatch| {
        let id = span.id().expect("enabled");
        let context = get_otel_context(&id, dispatch).expect("the layer is there");
        context.span().span_context().span_id()
    });
    let current = Context::current();
    assert_eq!(ids, current.span().span_context().span_id());
    assert_eq!(ids, span.context().span().span_context().span_id());
    drop(entered);
    assert!(!Context::current().has_active_span());
    let disabled = debug_span!("disabled");
    disabled.set_attribute("a", 1);
    assert!(!disabled.context().has_active_span());
    assert!(disabled.set_parent(Context::new()).is_err());
}

fn contexts() {
    let tracer = global::tracer("foreign");
    let builder = SpanBuilder::from_name("of the API")
        .with_kind(SpanKind::Producer)
        .with_attributes(attributes())
        .with_links(vec![Link::with_context(
            remote(TraceFlags::SAMPLED).span().span_context().clone(),
        )]);
    let outer = tracer.build(builder);
    let context = Context::current_with_span(outer).with_value(Marker(5));
    let attached = context.attach();
    let span = info_span!("below the API");
    let entered = span.enter();
    assert_eq!(Context::current().get(), Some(&Marker(5)));
    assert_eq!(span.context().get(), Some(&Marker(5)));
    drop(tracer.start("below tracing"));
    let current = Context::current();
    current.span().update_name("renamed");
    current.span().set_attributes(attributes());
    current.span().add_event("event", vec![]);
    current.span().set_status(Status::Ok);
    current.span().set_status(Status::error("too late"));
    let ended = info_span!("ended early");
    ended.in_scope(|| {
        Context::map_current(|context| context.span().end());
        Context::map_current(|context| context.span().set_attribute(KeyValue::new("late", 1)));
        assert!(!Context::current().span().is_recording());
    });
    ended.record("none", 1);
    drop(ended);
    drop(entered);
    drop(attached);
    drop(span);
    assert!(!current.span().is_recording(), "it has closed");
    current.span().set_attribute(KeyValue::new("late", 1));
    let suppressed = Context::enter_telemetry_suppressed_scope();
    info_span!("suppressed").in_scope(|| {
        assert!(!Context::current().span().span_context().is_valid());
    });
    drop(suppressed);
}

#[derive(Debug, PartialEq)]
struct Marker(i32);

fn parents() {
    let root = info_span!("root");
    let child = info_span!(parent: &root, "explicit child");
    let _entered = root.enter();
    info_span!(parent: None, "new root").in_scope(|| ());
    let disabled = debug_span!("disabled");
    info_span!(parent: &disabled, "child of a disabled one").in_scope(|| ());
    let first = info_span!("first");
    let second = info_span!("second");
    second.follows_from(&first);
    // Ignored.
    second.follows_from(&second);
    second.in_scope(|| ());
    second.follows_from(&child);
    propagation::set_parent(&info_span!("remote child"), remote(TraceFlags::SAMPLED));
    let moved = info_span!("moved between threads");
    std::thread::spawn({
        let moved = moved.clone();
        move || moved.in_scope(|| info_span!("on another thread").in_scope(|| ()))
    })
    .join()
    .expect("no panic");
    // Exited in another order than entered.
    let (one, two) = (info_span!("one"), info_span!("two"));
    let (guard, other) = (one.enter(), two.enter());
    drop(guard);
    info_span!("within two").in_scope(|| ());
    drop(other);
    info_span!("within root").in_scope(|| ());
}

fn unsampled() {
    let span = info_span!("unsampled", a = 1, b = Empty);
    propagation::set_parent(&span, remote(TraceFlags::NOT_SAMPLED));
    span.in_scope(|| {
        info!("event");
        span.record("b", 2);
        span.set_attribute("c", 3);
        let context = Context::current();
        let context = context.span().span_context().clone();
        assert_eq!(context.trace_id(), TraceId::from(0xabc_u128));
        assert!(context.is_valid() && !context.is_sampled() && !context.is_remote());
        assert_eq!(context.trace_state().get("vendor"), Some("value"));
        info_span!("unsampled child").in_scope(|| {
            assert!(!Context::current().span().is_recording());
        });
        info_span!(parent: None, "sampled within").in_scope(|| ());
    });
}

fn tenants() {
    let outer = info_span!("of a tenant", tenant_id = "acme");
    outer.in_scope(|| {
        info_span!("inherits").in_scope(|| ());
        info_span!("has its own", tenant_id = "other").in_scope(|| ());
        info_span!("learns it", tenant_id = Empty).in_scope(|| tenant::set("later"));
    });
}

/// The spans without ids and times, in the order of their names and their ends.
pub(crate) fn shown(spans: &[Span]) -> String {
    let names: BTreeMap<_, _> = spans
        .iter()
        .map(|span| (span.span_id.clone(), span.name.clone()))
        .collect();
    let named = |id: &[u8]| match names.get(id) {
        Some(name) => name.clone(),
        None if id.is_empty() => String::new(),
        None if *id == REMOTE.to_be_bytes() => format!("{REMOTE:016x}"),
        // Of a span that was not sampled.
        None => "unknown".to_owned(),
    };
    let mut text = String::new();
    for span in spans {
        assert!(
            span.start_time_unix_nano <= span.end_time_unix_nano,
            "{span:#?}"
        );
        let kind = span.kind;
        let (name, parent) = (&span.name, named(&span.parent_span_id));
        let (state, flags) = (&span.trace_state, span.flags);
        let show = &mut text;
        line(
            show,
            format_args!("{name:?} in {parent:?} kind {kind} flags {flags:#x} {state}"),
        );
        if let Some(status) = span.status.as_ref().filter(|status| status.code != 0) {
            line(
                show,
                format_args!("  status {} {:?}", status.code, status.message),
            );
        }
        show_attributes(show, "  ", &span.attributes, span.dropped_attributes_count);
        for event in &span.events {
            // Without a message it is named after its line.
            let name = event.name.split(".rs:").next().unwrap_or_default();
            line(show, format_args!("  event {name:?}"));
            show_attributes(
                show,
                "    ",
                &event.attributes,
                event.dropped_attributes_count,
            );
        }
        for link in &span.links {
            let (to, state, flags) = (named(&link.span_id), &link.trace_state, link.flags);
            line(
                show,
                format_args!("  link to {to:?} flags {flags:#x} {state}"),
            );
            show_attributes(
                show,
                "    ",
                &link.attributes,
                link.dropped_attributes_count,
            );
        }
        let dropped = (span.dropped_events_count, span.dropped_links_count);
        if dropped != (0, 0) {
            line(show, format_args!("  dropped (events, links): {dropped:?}"));
        }
    }
    text
}

fn show_attributes(
    show: &mut String,
    indent: &str,
    attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue],
    dropped: u32,
) {
    for attribute in attributes {
        let value = attribute
            .value
            .as_ref()
            .and_then(|value| value.value.as_ref());
        line(show, format_args!("{indent}{} = {value:?}", attribute.key));
    }
    if dropped > 0 {
        line(show, format_args!("{indent}dropped attributes: {dropped}"));
    }
}

fn line(show: &mut String, content: fmt::Arguments<'_>) {
    writeln!(show, "{content}").expect("a String");
}
