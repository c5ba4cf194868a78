//! The worker between a pipe and Prometheus.

#[path = "../../support/http.rs"]
mod http;
#[path = "../../support/program.rs"]
mod program;

use std::{fs, io::Write, path::Path, process::Command};

use http::get;
use program::{Ended, Program, assert_lines, wait_for};

/// Gives three invoices to the worker, and returns its metrics when it has handled them.
fn run() -> (String, Ended) {
    let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("invoices/2026-001.txt");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let malformed = folder.join("malformed.txt");
    fs::write(&malformed, "twelve euros\n").expect("it is written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rustok-worker"));
    let mut worker = Program::start(command.envs([
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", "0"),
    ]));
    let metrics = worker.after("the metrics are served at ");
    let mut lines = worker.stdin();
    for invoice in [good, malformed, folder.join("missing.txt")] {
        writeln!(lines, "{}", invoice.display()).expect("it reads");
    }
    let last = r#"invoices_dead_letters_total{error_type="unreadable"} 1"#;
    let text = wait_for(last, || {
        let text = get(&metrics)?;
        text.contains(last).then_some(text)
    });
    drop(lines);
    (text, worker.end())
}

#[test]
fn messages_are_booked_retried_and_given_up() {
    let (text, ended) = run();
    assert_lines(
        &text,
        &[
            r#"rustok_event_bus_published_total{event_type="InvoiceReceived",tenant_id="none"} 3"#,
            r#"rustok_event_bus_dispatched_total{event_type="InvoiceReceived",handler="book_invoice"} 1"#,
            r#"rustok_event_bus_errors_total{error_type="malformed",event_type="InvoiceReceived"} 1"#,
            r#"rustok_event_bus_errors_total{error_type="unreadable",event_type="InvoiceReceived"} 3"#,
            r#"rustok_event_bus_lag_seconds_count{event_type="InvoiceReceived"} 3"#,
            r#"rustok_event_bus_queue_depth{transport="in_memory"} 0"#,
            "invoices_booked_cents_total 1234",
            r#"invoices_dead_letters_total{error_type="malformed"} 1"#,
            r#"invoices_dead_letters_total{error_type="unreadable"} 1"#,
        ],
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("everything was sent"),
        "{}",
        ended.stderr
    );

    // Each attempt is in the trace of its message.
    let spans = ended.spans();
    let named = |name: &str| -> Vec<_> {
        let spans = spans.iter().filter(|span| span["span"] == name);
        spans.collect()
    };
    let (sent, handled) = (named("event.publish"), named("book_invoice"));
    assert_eq!((sent.len(), handled.len()), (3, 5), "{}", ended.stdout);
    let attempts = |message: usize| {
        let span = &sent[message];
        let attempts = handled.iter().filter(|attempt| {
            attempt["trace_id"] == span["trace_id"] && attempt["parent_span_id"] == span["span_id"]
        });
        attempts.count()
    };
    assert_eq!([0, 1, 2].map(attempts), [1, 1, 3], "{}", ended.stdout);
}

#[test]
fn the_program_is_shorter_than_120_lines() {
    let lines = include_str!("../src/main.rs").lines().count();
    assert!(lines < 120, "{lines}");
}
