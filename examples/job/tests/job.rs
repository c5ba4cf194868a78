//! The job as a scheduler runs it.

#[path = "../../support/program.rs"]
mod program;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use program::{Ended, Program};
use serde_json::Value;

const CONSOLE: [(&str, &str); 2] = [
    ("OTEL_TRACES_EXPORTER", "console"),
    ("OTEL_METRICS_EXPORTER", "console"),
];

/// Runs the job on these sales. Returns its end, and the path of the totals.
fn run(name: &str, sales: &str, variables: &[(&str, &str)]) -> (Ended, PathBuf) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let from = folder.join(format!("{name}-sales.csv"));
    let to = folder.join(format!("{name}-totals.csv"));
    fs::write(&from, sales).expect("it is written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rustok-job"));
    let command = command.args([&from, &to]);
    let job = Program::start(command.envs(variables.iter().copied()));
    (job.end(), to)
}

#[test]
fn each_step_is_exported_before_the_next_begins() {
    let (ended, totals) = run("steps", include_str!("../sales.csv"), &CONSOLE);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let totals = fs::read_to_string(totals).expect("it was written");
    assert_eq!(totals, "coffee,300\ntea,500\n");
    assert!(
        ended.stderr.contains("everything was sent"),
        "{}",
        ended.stderr
    );

    let job = ended.span("sales.job");
    for step in ["sales.read", "sales.sum", "sales.write"] {
        assert_eq!(ended.span(step)["parent_span_id"], job["span_id"], "{step}");
    }
    let lines = ended.stdout.lines().map(serde_json::from_str);
    let lines: Vec<Value> = lines.map(|line| line.expect("a line of JSON")).collect();
    let rows = lines
        .iter()
        .position(|line| line["metric"] == "sales_rows_total");
    let rows = rows.expect("the rows");
    assert_eq!(lines[rows]["points"][0]["value"], 3);
    let write = lines.iter().position(|line| line["span"] == "sales.write");
    assert!(
        Some(rows) < write,
        "the rows are not exported before the last step"
    );
    let succeeded = lines
        .iter()
        .any(|line| line["metric"] == "sales_last_success_timestamp_seconds");
    assert!(succeeded, "{}", ended.stdout);
}

#[test]
fn a_failed_job_exits_with_an_error() {
    let (ended, _) = run("failed", "tea,250\ncoffee\n", &CONSOLE);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("line 2 is not `product,cents`"),
        "{}",
        ended.stderr
    );
    for name in ["sales.sum", "sales.job"] {
        let span = ended.span(name);
        assert_eq!(span["attributes"]["error.type"], "invalid_row", "{span}");
    }
    let lines = ended.stdout.lines().map(serde_json::from_str);
    let mut lines = lines.map(|line| line.expect("a line of JSON"));
    let last = lines.rfind(|line: &Value| line["metric"] == "rustok_module_errors_total");
    let point = &last.expect("the error is counted")["points"][0];
    assert_eq!(point["attributes"]["error_type"], "invalid_row");
    assert_eq!(point["value"], 1);
}

#[test]
fn a_job_succeeds_without_a_collector() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "100"),
    ];
    let (ended, totals) = run("alone", "tea,250\n", &variables);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(totals.is_file());
    assert!(
        ended.stderr.contains("not everything was sent"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_program_is_shorter_than_120_lines() {
    let lines = include_str!("../src/main.rs").lines().count();
    assert!(lines < 120, "{lines}");
}
