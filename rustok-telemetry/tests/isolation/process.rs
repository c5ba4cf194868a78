//! What arrives of a process that exits, aborts, gets a signal, or forks.

use std::{
    env,
    io::{BufRead, BufReader, Write, stdout},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio, abort, exit},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustok_telemetry::{Telemetry, health, metrics};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    exporting,
    receiver::Receiver,
    support::{assert_samples, text},
};

const SPANS: usize = 10;

/// Exports nothing before a flush or the shutdown.
const LATER: [(&str, &str); 5] = [
    ("OTEL_TRACES_EXPORTER", "otlp"),
    ("OTEL_METRICS_EXPORTER", "otlp"),
    ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "3600000"),
];

fn start(receiver: &Receiver) -> Telemetry {
    let builder = exporting(receiver, &LATER);
    let telemetry = builder.init().expect("telemetry starts");
    record(SPANS);
    telemetry
}

fn record(spans: usize) {
    for _ in 0..spans {
        drop(tracing::info_span!("work"));
    }
    metrics::record_event_published("OrderPlaced", "acme");
}

/// Runs this test again in a child process, which records and then does `work`.
fn in_a_child(test: &str, receiver: &Receiver, work: impl FnOnce(Telemetry)) -> Child {
    const ENDPOINT: &str = "TEST_ENDPOINT";
    if let Ok(endpoint) = env::var(ENDPOINT) {
        let mut variables = LATER.to_vec();
        variables.push(("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint));
        let builder = crate::with_variables(&variables);
        let telemetry = builder.init().expect("telemetry starts");
        record(SPANS);
        work(telemetry);
        exit(0);
    }
    let test = format!("process::{test}");
    Command::new(env::current_exe().expect("a path"))
        .args(["--exact", &test, "--nocapture"])
        .env(ENDPOINT, receiver.plain())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test runs again")
}

const READY: &str = "ready for a signal";

fn say_ready() {
    writeln!(stdout(), "\n{READY}").expect("a pipe");
}

/// Sends a signal once the child is ready for it.
fn end_by(signal: Signal, mut child: Child) -> ExitStatus {
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let ready = lines.any(|line| line.expect("text") == READY);
    assert!(ready, "{:?}", child.wait());
    kill_process(Pid::from_child(&child), signal).expect("it runs");
    child.wait().expect("it ends")
}

#[track_caller]
fn assert_arrived(receiver: &Receiver, spans: usize) {
    assert_eq!(receiver.spans().len(), spans);
    let requests = receiver.requests();
    let metrics = requests.iter().any(|request| request.is_of("metrics"));
    assert_eq!(metrics, spans > 0);
}

#[test]
fn exit_loses_what_waits() {
    let receiver = Receiver::start();
    let mut child = in_a_child("exit_loses_what_waits", &receiver, |_telemetry| exit(3));
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
    assert_arrived(&receiver, 0);
}

#[test]
fn exit_after_a_shutdown_loses_nothing() {
    let receiver = Receiver::start();
    let test = "exit_after_a_shutdown_loses_nothing";
    let mut child = in_a_child(test, &receiver, |telemetry| {
        let report = telemetry.shutdown();
        exit(i32::from(!report.is_complete()));
    });
    assert!(child.wait().expect("it ends").success());
    assert_arrived(&receiver, SPANS);
}

#[test]
fn a_panic_of_main_exports_what_waits() {
    let receiver = Receiver::start();
    let test = "a_panic_of_main_exports_what_waits";
    let mut child = in_a_child(test, &receiver, |_telemetry| panic!("unwinds"));
    assert!(!child.wait().expect("it ends").success());
    assert_arrived(&receiver, SPANS);
}

#[test]
fn an_abort_loses_what_waits() {
    let receiver = Receiver::start();
    let mut child = in_a_child("an_abort_loses_what_waits", &receiver, |_telemetry| abort());
    let status = child.wait().expect("it ends");
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
    assert_arrived(&receiver, 0);
}

#[test]
fn a_signal_that_is_not_handled_loses_what_waits() {
    let receiver = Receiver::start();
    let test = "a_signal_that_is_not_handled_loses_what_waits";
    let child = in_a_child(test, &receiver, |_telemetry| {
        say_ready();
        sleep(Duration::from_secs(60));
    });
    let status = end_by(Signal::TERM, child);
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()));
    assert_arrived(&receiver, 0);
}

/// As the documentation shows it.
async fn run_until_a_signal() {
    let [mut terminate, mut interrupt] = [SignalKind::terminate(), SignalKind::interrupt()]
        .map(|kind| signal(kind).expect("a handler"));
    say_ready();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn handled(test: &str, signal: Signal) {
    let receiver = Receiver::start();
    let child = in_a_child(test, &receiver, |telemetry| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().expect("a runtime");
        runtime.block_on(run_until_a_signal());
        let report = telemetry.shutdown();
        assert!(report.is_complete(), "{report}");
    });
    assert!(end_by(signal, child).success());
    assert_arrived(&receiver, SPANS);
}

#[test]
fn a_handled_sigterm_loses_nothing() {
    handled("a_handled_sigterm_loses_nothing", Signal::TERM);
}

#[test]
fn a_handled_sigint_loses_nothing() {
    handled("a_handled_sigint_loses_nothing", Signal::INT);
}

/// Forks, does `work` in the child, and returns whether it ended without a panic within 30 s.
fn in_a_fork(work: impl FnOnce()) -> bool {
    // SAFETY: `fork` has no preconditions on memory: the child gets a copy of all of it, with this thread alone. In a
    // process with several threads, POSIX allows the child only async-signal-safe functions, because a lock that another
    // thread holds at this moment is never released in the child. That is no unsoundness: at worst the child waits
    // forever, and the parent ends it. glibc's allocator, which this test runs with, is usable in the child (malloc(3),
    // pthread_atfork handlers). The child ends with `_exit`, so it runs neither destructors nor `atexit` functions of the
    // parent.
    #[expect(unsafe_code, reason = "no crate of this workspace has a safe fork")]
    let child = unsafe { libc::fork() };
    if child == 0 {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // SAFETY: `_exit` has no preconditions, and does not return.
        #[expect(unsafe_code, reason = "std::process::exit would run atexit functions")]
        unsafe {
            libc::_exit(i32::from(done.is_err()))
        }
    }
    let child = Pid::from_raw(child).expect("a child");
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(30) {
        if let Some((_, status)) = waitpid(Some(child), WaitOptions::NOHANG).expect("a child") {
            return status.exit_status() == Some(0);
        }
        sleep(Duration::from_millis(20));
    }
    kill_process(child, Signal::KILL).expect("it runs");
    let _ = waitpid(Some(child), WaitOptions::empty());
    false
}

#[test_fork::test]
fn a_forked_child_records_and_exports_nothing() {
    let receiver = Receiver::start();
    let telemetry = start(&receiver);
    let mut telemetry = Some(telemetry);
    let published = "rustok_event_bus_published_total";
    let ended = in_a_fork(|| {
        let telemetry = telemetry.take().expect("a copy");
        let started = Instant::now();
        // More than the queue holds, from this thread and from a new one.
        record(150);
        thread::spawn(|| record(1)).join().expect("no panic");
        metrics::record_event_published("New", "acme");
        let acme = r#"{event_type="OrderPlaced",tenant_id="acme"}"#;
        let new = r#"{event_type="New",tenant_id="acme"}"#;
        assert_samples(&text(), published, &[(new, "1"), (acme, "3")]);
        let queue = health().signals[0].queue.clone().expect("a queue");
        assert_eq!(queue.length + queue.lost[1].1, 161, "{queue:?}");
        let report = telemetry.force_flush(Duration::from_millis(200));
        assert!(report.timed_out, "{report}");
        let report = telemetry.shutdown_within(Duration::from_millis(200));
        assert!(report.timed_out && report.unsent_spans > 0, "{report}");
        let took = started.elapsed();
        assert!(took < Duration::from_secs(10), "{took:?}");
    });
    assert!(ended, "the child has panicked or does not end");
    assert!(receiver.requests().is_empty());
    // The parent is as it was.
    let acme = r#"{event_type="OrderPlaced",tenant_id="acme"}"#;
    assert_samples(&text(), published, &[(acme, "1")]);
    let report = telemetry.expect("the guard").shutdown();
    assert!(report.is_complete(), "{report}");
    assert_arrived(&receiver, SPANS);
}

#[test_fork::test]
fn telemetry_starts_in_a_forked_child() {
    let receiver = Receiver::start();
    let ended = in_a_fork(|| {
        let report = start(&receiver).shutdown();
        assert!(report.is_complete(), "{report}");
    });
    assert!(ended, "the child has panicked or does not end");
    assert_arrived(&receiver, SPANS);
    let report = start(&receiver).shutdown();
    assert!(report.is_complete(), "{report}");
    assert_arrived(&receiver, 2 * SPANS);
}
