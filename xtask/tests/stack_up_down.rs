//! `cargo xtask stack` with the real programs: up, status, down. No program is left running.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use xtask::stack::{Port, Ports, Service, Stack, StartError, UpError, query};

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn two_stacks_run_at_once_and_stop_independently() {
    let dir = run_dir("two-stacks-command");
    let up = xtask(&["stack", "up", "--free-ports", "--explore"], &dir);
    assert!(up.status.success(), "{}", text(&up));
    let left_running = Stack::find(&dir).expect("state").expect("a stack");
    let _stopped = StopOnDrop(dir.clone());
    assert_ready(&left_running);
    let page = Service::VictoriaMetrics.page(left_running.ports());
    assert!(text(&up).contains(&page), "{page}: {}", text(&up));
    assert!(query::shows(&page, "<title>vmui</title>"), "{page}");
    let status = xtask(&["stack", "status"], &dir);
    assert!(status.status.success(), "{}", text(&status));

    let owned = Stack::builder()
        .run_dir(run_dir("two-stacks-library"))
        .free_ports()
        .up()
        .expect("a second stack");
    let unused = owned.ports().check_free(&[Port::VictoriaMetrics]);
    unused.expect("a stack has no VictoriaMetrics by default");

    let down = xtask(&["stack", "down"], &dir);
    assert!(down.status.success(), "{}", text(&down));
    assert_nothing_listens(left_running.ports());
    assert_eq!(xtask(&["stack", "status"], &dir).status.code(), Some(1));

    assert_ready(&owned);
    let ports = owned.ports().clone();
    drop(owned);
    assert_nothing_listens(&ports);
}

/// Stops the stack in this folder even if the test fails.
struct StopOnDrop(PathBuf);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Ok(Some(stack)) = Stack::find(&self.0) {
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
    let explore = xtask(&["stack", "up", "--explore"], &dir);
    assert_eq!(explore.status.code(), Some(1), "{}", text(&explore));
    let remedy = "stop it with `cargo xtask stack down`, then start it with --explore";
    assert!(text(&explore).contains(remedy), "{}", text(&explore));
    assert_ready(&stack);
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
    // A file in place of the folder that Prometheus needs.
    fs::write(dir.join("data/prometheus/wal"), "not a folder").expect("file");
    let ports = Ports::free().expect("free ports");

    // Only a detached stack keeps existing data.
    let builder = Stack::builder().run_dir(&dir).ports(ports.clone());
    let result = builder.detached().up();

    let Err(UpError::Start(StartError::Ended { service, tail, .. })) = result else {
        panic!("Prometheus cannot have started: {result:?}");
    };
    assert_eq!(service, Service::Prometheus);
    assert!(tail.contains("wal"), "{tail}");
    assert_nothing_listens(&ports);
}

#[track_caller]
fn assert_ready(stack: &Stack) {
    let status = stack.status();
    assert!(status.iter().all(|status| status.ready), "{status:?}");
}

#[track_caller]
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

/// Returns an empty folder for a test. Stops a stack that an earlier run left in it.
///
/// Locks the folders until the process ends: a concurrent run in this checkout would stop this run's stacks.
fn run_dir(name: &str) -> PathBuf {
    static LOCK: OnceLock<File> = OnceLock::new();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    LOCK.get_or_init(|| {
        let lock = File::create(folder.join("stack_up_down.lock")).expect("a lock file");
        lock.lock().expect("the lock");
        lock
    });
    let dir = folder.join(name);
    if let Ok(Some(stack)) = Stack::find(&dir) {
        stack.down().expect("the stack of an earlier run stops");
    }
    let _ = fs::remove_dir_all(&dir);
    dir
}
