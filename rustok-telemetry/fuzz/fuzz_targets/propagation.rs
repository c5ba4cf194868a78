//! Headers of the propagators: a context that is extracted, injected and extracted again is the same.
#![no_main]

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use opentelemetry::{Context, baggage::BaggageExt, trace::TraceContextExt};
use rustok_telemetry::{
    Telemetry,
    config::TelemetryConfig,
    propagation::{self, EventContext},
    tenant::TENANT_ID,
};

/// The first letter of a line selects the header.
const NAMES: [&str; 11] = [
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-sampled",
    "x-b3-flags",
    "uber-trace-id",
    "uberctx-key",
    "jaeger-baggage",
];

static TELEMETRY: LazyLock<Telemetry> = LazyLock::new(|| {
    let config = TelemetryConfig::from_vars([
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
        // The last one that finds a span wins.
        ("OTEL_PROPAGATORS", "b3,b3multi,jaeger,tracecontext,baggage"),
    ]);
    let builder = rustok_telemetry::builder().config(config.expect("valid"));
    builder.without_subscriber().init().expect("telemetry starts")
});

fuzz_target!(|bytes: &[u8]| {
    LazyLock::force(&TELEMETRY);
    let lines = bytes.split(|byte| *byte == b'\n');
    let entries: Vec<_> = lines
        .filter_map(|line| {
            let (letter, value) = line.split_first()?;
            let name = NAMES.get(usize::from(letter.checked_sub(b'a')?))?;
            Some((*name, value))
        })
        .collect();
    let mut headers = HeaderMap::new();
    for (name, value) in &entries {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let received = propagation::extract_headers(&headers);
    let mut sent = HeaderMap::new();
    {
        let _current = received.clone().attach();
        propagation::inject_headers(&mut sent);
    }
    // Jaeger has an entry of baggage in a header each, whose name has no upper case.
    let names: Vec<_> = sent.keys().cloned().collect();
    for name in names.iter().filter(|name| name.as_str().starts_with("uberctx-")) {
        sent.remove(name);
    }
    let again = propagation::extract_headers(&sent);
    let span = |context: &Context| context.span().span_context().clone();
    if span(&received).is_valid() {
        assert_eq!(span(&again), span(&received), "{headers:?} {sent:?}");
    }
    // A received tenant is not sent.
    let baggage = |context: &Context| {
        let entries = context.baggage().iter();
        let mut entries: Vec<_> = entries
            .filter(|(key, _)| !key.as_str().eq_ignore_ascii_case(TENANT_ID))
            .map(|(key, (value, metadata))| (key.to_string(), value.to_string(), metadata.to_string()))
            .collect();
        entries.sort();
        entries
    };
    assert_eq!(baggage(&again), baggage(&received), "{headers:?} {sent:?}");

    let event = EventContext::from_byte_headers(entries.iter().copied()).trust_tenant();
    if let Some(tenant) = event.tenant() {
        let tenant = tenant.as_str();
        assert!((1..=128).contains(&tenant.len()), "{tenant:?}");
        assert!(!tenant.contains(char::is_control), "{tenant:?}");
        let sent = event.send_tenant();
        let again = EventContext::from_entries(sent.entries()).trust_tenant();
        assert_eq!(again.tenant(), sent.tenant(), "{sent:?}");
    }
});
