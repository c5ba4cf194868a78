//! The real programs: up, found again, down, and nothing left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use xtask::stack::{Port, Ports, Service, Stack, StartError, UpError};

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn two_stacks_run_at_once_and_stop_independently() {
    let dir = run_dir("two-stacks-command");
    let up = xtask(&["stack", "up", "--free-ports"], &dir);
    assert!(up.status.success(), "{}", text(&up));
    let left_running = Stack::find(&dir).expect("state").expect("a stack");
    // Whatever fails below, nothing stays behind.
    let _taken_down = TakenDown(dir.clone());
    assert!(left_running.is_ready());
    assert!(xtask(&["stack", "status"], &dir).status.success());

    let owned = Stack::builder()
        .run_dir(run_dir("two-stacks-library"))
        .free_ports()
        .up()
        .expect("a second stack");

    let down = xtask(&["stack", "down"], &dir);
    assert!(down.status.success(), "{}", text(&down));
    assert_nothing_listens(left_running.ports());
    assert_eq!(xtask(&["stack", "status"], &dir).status.code(), Some(1));

    assert!(owned.is_ready(), "the other stack is untouched");
    let ports = owned.ports().clone();
    drop(owned);
    assert_nothing_listens(&ports);
}

struct TakenDown(std::path::PathBuf);

impl Drop for TakenDown {
    fn drop(&mut self) {
        if let Ok(Some(stack)) = Stack::find(&self.0) {
            // A stack that the test has taken down is not found.
            let _ = stack.down();
        }
    }
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn up_reports_a_stack_that_is_already_up() {
    let dir = run_dir("up-twice");
    let stack = Stack::builder().run_dir(&dir).free_ports().up();
    let stack = stack.expect("a stack");
    let again = Stack::builder().run_dir(&dir).free_ports().up();
    assert!(matches!(again, Err(UpError::AlreadyUp(_))), "{again:?}");
    let up = xtask(&["stack", "up"], &dir);
    assert!(
        text(&up).contains("The stack is up already"),
        "{}",
        text(&up)
    );
    assert!(stack.is_ready());
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn failed_start_shows_the_log_and_stops_the_others() {
    let dir = run_dir("broken-prometheus");
    fs::create_dir_all(dir.join("data/prometheus")).expect("data folder");
    // Where Prometheus wants a folder.
    fs::write(dir.join("data/prometheus/wal"), "not a folder").expect("file");
    let ports = Ports::free().expect("free ports");

    // Detached, since any other stack starts without data.
    let builder = Stack::builder().run_dir(&dir).ports(ports.clone());
    let result = builder.detached().up();

    let Err(UpError::Start(StartError::Ended { service, tail, .. })) = result else {
        panic!("Prometheus cannot have started: {result:?}");
    };
    assert_eq!(service, Service::Prometheus);
    assert!(tail.contains("wal"), "{tail}");
    assert_nothing_listens(&ports);
}

fn assert_nothing_listens(ports: &Ports) {
    ports.check_free(&Port::ALL).expect("all ports are free");
}

fn xtask(arguments: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .arg("--dir")
        .arg(dir)
        .output()
        .expect("xtask runs")
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A folder of this test's own, without what an earlier run may have left in it.
fn run_dir(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if let Ok(Some(stack)) = Stack::find(&dir) {
        stack.down().expect("the stack of an earlier run stops");
    }
    let _ = fs::remove_dir_all(&dir);
    dir
}
