//! The rules of Prometheus: promtool accepts them, each alert is seen to fire and to stay silent, and has its place in
//! the runbook and in Alertmanager's configuration.

mod alertmanager;
mod annotations;
mod coverage;
mod files;
mod guide;
mod names;
mod other_names;
mod runbook;
mod shortened;

use std::path::PathBuf;
use std::process::Command;

use xtask::stack::programs::{self, Program};
use xtask::workspace;

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn promtool_accepts_every_rule() {
    let arguments = ["check", "rules", "--lint=all", "--lint-fatal"];
    assert_succeeds(&arguments, &files::rule_files());
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn every_case_is_as_expected() {
    assert_succeeds(&["test", "rules"], &files::case_files());
}

#[test]
fn prometheus_loads_every_rule_file() {
    let config = files::yaml("prometheus/prometheus.yml");
    let mut loaded: Vec<PathBuf> = config["rule_files"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|file| files::folder().join(file.as_str().expect("a path")))
        .collect();
    loaded.sort();
    assert_eq!(loaded, files::rule_files());
}

fn assert_succeeds(arguments: &[&str], files: &[PathBuf]) {
    let promtool = programs::path(Program::Promtool).expect("promtool");
    let output = Command::new(promtool)
        .args(arguments)
        .args(files)
        .current_dir(workspace::root())
        .output()
        .expect("promtool runs");
    assert!(
        output.status.success(),
        "promtool {arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
