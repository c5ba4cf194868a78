//! Grafana's own types take the dashboards, and refuse what they do not know.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use xtask::stack::programs::{self, Program};
use xtask::workspace;

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn grafanas_types_know_every_field() {
    let folder = workspace::root().join("grafana/dashboards");
    let files: Vec<_> = fs::read_dir(folder)
        .expect("the dashboards")
        .map(|entry| entry.expect("a file").path())
        .collect();
    let output = decode(&files);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn a_field_or_a_type_that_grafana_does_not_know_is_refused() {
    let good = workspace::root().join("grafana/dashboards/rustok-overview.json");
    let good = fs::read_to_string(good).expect("a dashboard");
    for (known, unknown) in [
        ("\"refresh\":", "\"refreshes\":"),
        ("\"legendFormat\":", "\"legend\":"),
        ("\"drawStyle\":", "\"drawn\":"),
        ("\"thresholds\":", "\"limits\":"),
        ("\"tooltip\": {", "\"tooltips\": {"),
        ("\"titleFormat\":", "\"titled\":"),
        ("\"type\": \"bargauge\"", "\"type\": \"bars\""),
        ("\"multi\": true", "\"multi\": \"yes\""),
    ] {
        assert!(good.contains(known), "{known}");
        let bad = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unknown.json");
        fs::write(&bad, good.replacen(known, unknown, 1)).expect("a file");
        let output = decode(&[bad]);
        assert!(!output.status.success(), "{unknown} is taken");
    }
}

fn decode(files: &[PathBuf]) -> Output {
    let program = programs::path(Program::GrafanaSchema).expect("the program");
    Command::new(program).args(files).output().expect("it runs")
}
