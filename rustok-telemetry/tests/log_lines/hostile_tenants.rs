//! A tenant may come from a caller: it breaks no line, and passes for nothing else.

use rustok_telemetry::LogFormat;

use crate::{assert_ids, json, lines, start, traceparent};

/// Tenants that could break a line, or pass for something else.
const HOSTILE: &[&str] = &[
    "a\"b",
    "a\nb",
    "a\\",
    "\",\"trace_id\":\"0\"",
    "x trace_id=0",
    "\u{1b}[31mred",
    "",
    "ä💥",
];

#[test]
fn a_hostile_tenant_does_not_break_json() {
    let Some(lines) = lines(
        "hostile_tenants::a_hostile_tenant_does_not_break_json",
        "warn",
        || {
            let telemetry = start(LogFormat::Json);
            for tenant in HOSTILE {
                let _request = tracing::info_span!("request", tenant_id = tenant).entered();
                tracing::warn!(traceparent = traceparent(), "seen");
            }
            let _ = telemetry.shutdown();
        },
    ) else {
        return;
    };
    assert_eq!(lines.len(), HOSTILE.len(), "{lines:?}");
    for (line, tenant) in lines.iter().zip(HOSTILE) {
        assert_eq!(line.matches("\"trace_id\":").count(), 1, "{line}");
        let line = json(line);
        assert_eq!(line["tenant_id"], *tenant, "{line}");
        assert_ids(&line);
    }
}

#[test]
fn a_hostile_tenant_does_not_break_a_text_line() {
    let test = "hostile_tenants::a_hostile_tenant_does_not_break_a_text_line";
    let Some(lines) = lines(test, "warn", || {
        let telemetry = start(LogFormat::Human);
        for tenant in HOSTILE {
            let _request = tracing::info_span!("request", tenant_id = tenant).entered();
            tracing::warn!("seen");
        }
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    assert_eq!(lines.len(), HOSTILE.len(), "{lines:?}");
    for (line, tenant) in lines.iter().zip(HOSTILE) {
        let quoted = match *tenant {
            "ä💥" => (*tenant).to_owned(),
            tenant => format!("{tenant:?}"),
        };
        assert!(line.ends_with(&format!(" tenant_id={quoted}")), "{line}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
}
