//! Facts of the process.
#![cfg(all(feature = "process", target_os = "linux"))]

mod support;

use std::{
    fs::File,
    hint::black_box,
    sync::mpsc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use support::{samples, text, text_only};

/// Longer than facts are fresh.
const NEXT_COLLECTION: Duration = Duration::from_millis(80);

#[track_caller]
fn fact(name: &str) -> f64 {
    thread::sleep(NEXT_COLLECTION);
    let samples = samples(&text(), &format!("process_{name}"));
    samples[""].parse().expect("a number")
}

#[test_fork::test]
fn what_is_told_is_plausible() {
    let telemetry = text_only().init().expect("telemetry starts");
    let resident = fact("resident_memory_bytes");
    assert!((1e6..1e10).contains(&resident), "{resident}");
    assert!(fact("virtual_memory_bytes") > resident);
    let open = fact("open_fds");
    assert!((3.0..1e5).contains(&open), "{open}");
    assert!(fact("max_fds") >= open);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let age = now.expect("after 1970").as_secs_f64() - fact("start_time_seconds");
    assert!((-1.5..600.0).contains(&age), "{age} s old");
    let _ = telemetry.shutdown();
}

fn work_for(time: Duration) {
    let begin = Instant::now();
    let mut sum = 0_u64;
    while begin.elapsed() < time {
        sum = black_box(sum.wrapping_mul(31).wrapping_add(1));
    }
}

#[test_fork::test]
fn process_metrics_are_exported() {
    let telemetry = text_only().init().expect("telemetry starts");
    let cpu = fact("cpu_seconds_total");
    let begin = Instant::now();
    let mut spent = 0.0;
    // Others may have most of the processor.
    while spent < 0.02 && begin.elapsed() < Duration::from_secs(30) {
        work_for(Duration::from_millis(100));
        spent = fact("cpu_seconds_total") - cpu;
    }
    assert!((0.02..10.0).contains(&spent), "{spent}");

    let open = fact("open_fds");
    let files: Vec<_> = (0..10).map(|_| File::open("/dev/null")).collect();
    assert_eq!(fact("open_fds"), open + 10.0);
    drop(files);
    assert_eq!(fact("open_fds"), open);

    let threads = fact("threads");
    let (end, wait) = mpsc::channel::<()>();
    let thread = thread::spawn(move || wait.recv());
    assert_eq!(fact("threads"), threads + 1.0);
    drop(end);
    assert!(thread.join().expect("it ends").is_err());

    let resident = fact("resident_memory_bytes");
    let memory = black_box(vec![1_u8; 64 << 20]);
    assert!(fact("resident_memory_bytes") > resident + 5e7);
    drop(memory);
    let _ = telemetry.shutdown();
}
