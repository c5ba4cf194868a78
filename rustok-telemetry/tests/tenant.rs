//! The tenant follows the spans.

mod support;

use rustok_telemetry::tenant;
use support::{assert_samples, text, text_only};

#[test_fork::test]
fn the_tenant_is_that_of_the_nearest_span() {
    let telemetry = text_only().init().expect("telemetry starts");
    assert_eq!(tenant::current(), None);
    assert_eq!(&*tenant::label(), "none");
    let outer = tracing::info_span!("outer", tenant_id = "acme").entered();
    {
        let _inner = tracing::info_span!("inner").entered();
        let _for_log_lines_only = tracing::trace_span!("verbose").entered();
        assert_eq!(&*tenant::label(), "acme");
        let _other = tracing::info_span!("other", tenant_id = "globex").entered();
        assert_eq!(&*tenant::label(), "globex");
    }
    assert_eq!(&*tenant::label(), "acme");
    drop(outer);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_late_tenant_counts_for_the_span_and_later_children() {
    let telemetry = text_only().init().expect("telemetry starts");
    let request = tracing::info_span!("request", tenant_id = tracing::field::Empty).entered();
    drop(tracing::info_span!("before"));
    {
        let _plain = tracing::trace_span!("for_log_lines_only").entered();
        let _authenticate = tracing::info_span!("authenticate").entered();
        tenant::set("acme");
        drop(tracing::info_span!("within"));
    }
    drop(tracing::info_span!("after"));
    assert_eq!(&*tenant::label(), "acme");
    drop(request);
    let plain = tracing::info_span!("plain").entered();
    tenant::set("globex");
    drop(tracing::info_span!("child"));
    drop(plain);
    assert_samples(
        &text(),
        "rustok_spans_created_total",
        &[
            (r#"{operation="after",tenant_id="acme"}"#, "1"),
            (r#"{operation="authenticate",tenant_id="none"}"#, "1"),
            (r#"{operation="before",tenant_id="none"}"#, "1"),
            (r#"{operation="child",tenant_id="globex"}"#, "1"),
            (r#"{operation="plain",tenant_id="none"}"#, "1"),
            (r#"{operation="request",tenant_id="acme"}"#, "1"),
            (r#"{operation="within",tenant_id="acme"}"#, "1"),
        ],
    );
    let _ = telemetry.shutdown();
}

/// A span between has taken over the tenant from around, and would keep it.
#[test_fork::test]
fn set_replaces_an_inherited_tenant_at_once() {
    let telemetry = text_only().init().expect("telemetry starts");
    let _connection = tracing::info_span!("connection", tenant_id = "acme").entered();
    let _request = tracing::info_span!("request", tenant_id = tracing::field::Empty).entered();
    let authenticate = tracing::info_span!("authenticate").entered();
    tenant::set("globex");
    assert_eq!(&*tenant::label(), "globex");
    drop(authenticate);
    assert_eq!(&*tenant::label(), "globex");
    let _ = telemetry.shutdown();
}

#[test]
fn without_telemetry_there_is_no_tenant() {
    tenant::set("acme");
    assert_eq!(tenant::current(), None);
}
