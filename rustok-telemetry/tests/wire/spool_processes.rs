//! The spool across processes: what they leave on disk survives their end, damage, and a full disk.

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use rustok_telemetry::{health, health::SpoolHealth};

use crate::{
    outage::{TRACES, dropped, free_address, queue, wait_until, work},
    receiver::{Behaviour, Receiver},
    spool::{Directory, counts_add_up, numbers, spool, start_at},
};

/// The role of a process that a test starts.
const ROLE: &str = "TEST_SPOOL_ROLE";

/// Starts this test again, in a role that it finds in the environment. Its standard output is read.
fn process(test: &str, role: &str) -> Child {
    let mut command = Command::new(env::current_exe().expect("a path"));
    command
        .args(["--exact", test, "--nocapture"])
        .env(ROLE, role)
        .stdout(Stdio::piped());
    command.spawn().expect("the test runs again")
}

/// Returns address, directory and first number, if this process has a role.
fn role() -> Option<(SocketAddr, String, u64)> {
    let role = env::var(ROLE).ok()?;
    let mut parts = role.split(' ');
    let mut next = || parts.next().expect("three parts").to_owned();
    let (address, dir) = (next(), next());
    let first = next().parse().expect("a number");
    Some((address.parse().expect("an address"), dir, first))
}

/// Records numbered spans for ever, and writes after each how many there are.
#[expect(
    clippy::print_stdout,
    reason = "the test that started this process reads it"
)]
fn record_for_ever(address: SocketAddr, dir: &str, first: u64) -> ! {
    let telemetry = start_at(address, dir, &[("RUST_LOG", "warn")]);
    for number in first.. {
        work(number..number + 1);
        println!("recorded {}", number + 1 - first);
        sleep(Duration::from_micros(300));
    }
    drop(telemetry);
    unreachable!("numbers end later")
}

/// Kills the process with signal 9 as soon as it has recorded this many spans. Returns how many it had recorded.
fn kill_after(mut child: Child, spans: u64) -> u64 {
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let mut recorded = 0;
    let mut is_killed = false;
    // What it wrote before it was killed is still read.
    for line in output.lines().map_while(Result::ok) {
        let count = line.split("recorded ").nth(1).map(str::parse);
        recorded = count.map_or(recorded, |count| count.expect("a number"));
        if recorded >= spans && !is_killed {
            child.kill().expect("it is killed");
            is_killed = true;
        }
    }
    let status = child.wait().expect("it ends");
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(9)
    );
    recorded
}

#[test_fork::test]
fn kill_9_during_an_outage_loses_at_most_the_last_batch() {
    if let Some((address, dir, first)) = role() {
        record_for_ever(address, &dir, first);
    }
    const TEST: &str = "spool_processes::kill_9_during_an_outage_loses_at_most_the_last_batch";
    let (directory, address) = (Directory::new(), free_address());
    let dir = directory.path();
    // Each adopts the spans of the one before, while the receiver is away.
    let recorded = [0, 1_000_000].map(|first| {
        let child = process(TEST, &format!("{address} {dir} {first}"));
        kill_after(child, 3_000)
    });
    let receiver = Receiver::at(address, Behaviour::default());
    let telemetry = start_at(address, dir, &[]);
    wait_until("all arrive", || spool(TRACES).items == 0);
    let numbers = numbers(&receiver.spans());
    assert!(numbers.is_sorted(), "in order");
    for (first, recorded) in [0, 1_000_000].into_iter().zip(recorded) {
        let of_one = numbers
            .iter()
            .filter(|number| *number / 1_000_000 == first / 1_000_000);
        let of_one: Vec<_> = of_one.copied().collect();
        let arrived = of_one.len() as i64;
        let expected: Vec<_> = (first..first + arrived).collect();
        assert!(of_one == expected, "one is missing or sent twice");
        let missing = recorded as i64 - arrived;
        // The spans of 50 ms, or a full batch if the machine is slow.
        assert!(missing <= 512, "{missing} of {recorded}");
    }
    counts_add_up(TRACES, numbers.len() as u64);
    assert!(telemetry.shutdown().is_complete());
}

#[test_fork::test]
fn kill_9_while_spans_are_exported_loses_at_most_the_last_batch() {
    if let Some((address, dir, first)) = role() {
        record_for_ever(address, &dir, first);
    }
    const TEST: &str =
        "spool_processes::kill_9_while_spans_are_exported_loses_at_most_the_last_batch";
    let directory = Directory::new();
    let dir = directory.path();
    // So slow that a request is always on its way.
    let receiver = Receiver::with(Behaviour {
        delay: Duration::from_millis(100),
        ..Behaviour::default()
    });
    let address = receiver.address;
    let child = process(TEST, &format!("{address} {dir} 0"));
    let recorded = kill_after(child, 3_000);
    let telemetry = start_at(address, dir, &[]);
    wait_until("all arrive", || spool(TRACES).items == 0);
    let mut numbers = numbers(&receiver.spans());
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    // The request that was on its way arrived, and is sent again.
    assert!(all - numbers.len() <= 512, "{all} {}", numbers.len());
    let arrived = numbers.len() as u64;
    assert!(
        numbers.into_iter().eq(0..arrived.cast_signed()),
        "one is missing"
    );
    assert!(
        recorded.saturating_sub(arrived) <= 512,
        "{arrived} of {recorded}"
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn two_processes_with_one_directory_share_no_file() {
    if let Some((address, dir, first)) = role() {
        record_for_ever(address, &dir, first);
    }
    const TEST: &str = "spool_processes::two_processes_with_one_directory_share_no_file";
    let directory = Directory::new();
    let dir = directory.path();
    let child = process(TEST, &format!("{} {dir} 0", free_address()));
    wait_until("it has a spool", || directory.files("otlp").len() > 3);
    let before = directory.files("otlp");
    let receiver = Receiver::start();
    let telemetry = start_at(receiver.address, dir, &[]);
    work(5_000_000..5_000_100);
    wait_until("all arrive", || receiver.spans().len() == 100);
    sleep(Duration::from_millis(300));
    let numbers = numbers(&receiver.spans());
    assert!(
        numbers.into_iter().eq(5_000_000..5_000_100),
        "only those of this process"
    );
    assert!(before.iter().all(|file| file.exists()), "the others stay");
    assert_eq!(spool(TRACES).items, 0);
    counts_add_up(TRACES, 100);
    assert!(telemetry.shutdown().is_complete());
    assert!(before.iter().all(|file| file.exists()), "the others stay");
    kill_after(child, 1);
}

/// Records in a process of its own, without a receiver, and shuts down. Returns what it reported.
fn leave_spans(test: &str, dir: &str) {
    let role = format!("{} {dir} 0", free_address());
    let output = process(test, &role).wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
}

/// Records five batches of ten spans, and shuts down without a receiver.
fn record_and_shut_down(address: SocketAddr, dir: &str) -> ! {
    let telemetry = start_at(
        address,
        dir,
        &[
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"),
            ("OTEL_BSP_SCHEDULE_DELAY", "60000"),
        ],
    );
    work(0..50);
    let report = telemetry.shutdown();
    assert_eq!(
        (report.spooled_spans, report.lost_spans, report.unsent_spans),
        (50, 0, 0)
    );
    assert!(!report.is_complete());
    assert!(
        report.to_string().contains("50 spans kept in the spool"),
        "{report}"
    );
    std::process::exit(0);
}

#[test_fork::test]
fn a_shutdown_leaves_spans_to_the_next_process() {
    if let Some((address, dir, _)) = role() {
        record_and_shut_down(address, &dir);
    }
    let directory = Directory::new();
    leave_spans(
        "spool_processes::a_shutdown_leaves_spans_to_the_next_process",
        directory.path(),
    );
    let receiver = Receiver::start();
    let telemetry = start_at(receiver.address, directory.path(), &[]);
    wait_until("all arrive", || spool(TRACES).items == 0);
    assert!(numbers(&receiver.spans()).into_iter().eq(0..50));
    counts_add_up(TRACES, 50);
    assert!(telemetry.shutdown().is_complete());
}

#[test_fork::test]
fn corrupt_and_foreign_files_are_set_aside_and_counted() {
    if let Some((address, dir, _)) = role() {
        record_and_shut_down(address, &dir);
    }
    let directory = Directory::new();
    leave_spans(
        "spool_processes::corrupt_and_foreign_files_are_set_aside_and_counted",
        directory.path(),
    );
    let files = directory.files("otlp");
    assert_eq!(files.len(), 5);
    let mut bytes = fs::read(&files[1]).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&files[1], bytes).expect("a changed file");
    let cut = File::options().write(true).open(&files[3]).expect("a file");
    cut.set_len(100).expect("a shorter file");
    let folder = files[0].parent().expect("a folder");
    fs::write(folder.join("notes.txt"), "foreign").expect("a file");
    let part = folder.join("00000000000000000001-10.part");
    fs::write(part, "RTS1 and no more").expect("a file");
    let receiver = Receiver::start();
    let telemetry = start_at(receiver.address, directory.path(), &[]);
    wait_until("the others arrive", || spool(TRACES).items == 0);
    let expected = (0..10).chain(20..30).chain(40..50);
    assert!(numbers(&receiver.spans()).into_iter().eq(expected));
    assert!(queue(TRACES).lost.contains(&("spool_corrupt", 20)));
    counts_add_up(TRACES, 50);
    let SpoolHealth {
        files_set_aside,
        files_cut_off,
        ..
    } = spool(TRACES);
    assert_eq!((files_set_aside, files_cut_off), (3, 1));
    assert_eq!(directory.files("corrupt").len(), 3);
    let json = health().to_json();
    let shown = &json["signals"]["traces"]["queue"]["spool"];
    assert_eq!(shown["files_set_aside"], 3, "{json}");
    assert_eq!(telemetry.shutdown().lost_spans, 20);
}

/// In the role of a process whose files may have 8 KiB at most: a write fails, as on a full disk.
fn record_on_a_full_disk(address: SocketAddr, dir: &str) -> ! {
    let telemetry = start_at(address, dir, &[("RUST_LOG", "warn")]);
    // More than a file may have.
    let text = "x".repeat(10_000);
    let record = |numbers: std::ops::Range<u64>| {
        for number in numbers {
            drop(tracing::info_span!("work", number, text));
        }
    };
    record(0..100);
    wait_until("a write fails", || spool(TRACES).write_failures > 2);
    record(100..200);
    sleep(Duration::from_millis(200));
    assert_eq!((spool(TRACES).items, dropped(TRACES)), (0, 0));
    counts_add_up(TRACES, 200);
    let receiver = Receiver::at(address, Behaviour::default());
    wait_until("all arrive", || queue(TRACES).exported == 200);
    assert!(numbers(&receiver.spans()).into_iter().eq(0..200));
    assert!(telemetry.shutdown().is_complete());
    std::process::exit(0);
}

#[test]
fn on_a_full_disk_spans_wait_in_memory() {
    if let Some((address, dir, _)) = role() {
        record_on_a_full_disk(address, &dir);
    }
    let directory = Directory::new();
    // Blocks of 512 bytes. The signal would end the process.
    let limited = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command
        .args(["-c", limited])
        .arg(env::current_exe().expect("a path"))
        .args([
            "--exact",
            "spool_processes::on_a_full_disk_spans_wait_in_memory",
            "--nocapture",
        ])
        .env(ROLE, format!("{} {} 0", free_address(), directory.path()));
    let output = command.output().expect("the test runs again");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{output:?}");
    let warned = errors.matches("writing to the spool in").count();
    assert_eq!(warned, 1, "{errors}");
    assert!(errors.contains("The batch waits in memory"), "{errors}");
    assert!(directory.files("part").is_empty());
}
