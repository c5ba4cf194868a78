//! The spool: what waits on disk survives an outage, within its limits.

use std::{env, fs, net::SocketAddr, path::PathBuf, thread::sleep, time::Duration};

use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use rustok_telemetry::{
    Telemetry,
    health::{QueueHealth, SpoolHealth},
};

use crate::{
    outage::{LOGS, TRACES, dropped, free_address, queue, signal, wait_until, work},
    receiver::{Behaviour, Received, Receiver},
    start,
    support::samples,
};

/// A directory that is removed in the end.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        let name = format!("spool-{}", uuid::Uuid::new_v4());
        Self(env::temp_dir().join(name))
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    /// All files below it with this extension.
    pub(crate) fn files(&self, extension: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|it| it == extension) {
                    files.push(path);
                }
            }
        }
        files.sort_unstable_by_key(|path| path.file_name().map(ToOwned::to_owned));
        files
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts with a spool, for an endpoint at this address.
pub(crate) fn start_at(address: SocketAddr, dir: &str, variables: &[(&str, &str)]) -> Telemetry {
    let endpoint = format!("http://{address}");
    let fixed = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "50"),
        ("RUSTOK_TELEMETRY_SPOOL_DIR", dir),
    ];
    start(&[&fixed, variables].concat())
}

pub(crate) fn spool(index: usize) -> SpoolHealth {
    queue(index).spool.expect("a spool")
}

fn number(attributes: &[KeyValue]) -> i64 {
    let attribute = attributes.iter().find(|it| it.key == "number");
    let value = attribute.and_then(|it| it.value.as_ref()?.value.as_ref());
    match value {
        Some(Value::IntValue(number)) => *number,
        other => panic!("no number: {other:?}"),
    }
}

pub(crate) fn numbers(spans: &[Span]) -> Vec<i64> {
    spans.iter().map(|span| number(&span.attributes)).collect()
}

pub(crate) fn counts_add_up(index: usize, recorded: u64) {
    let queue = queue(index);
    let QueueHealth {
        length,
        exporting,
        exported,
        spool,
        ..
    } = &queue;
    let spooled = spool.as_ref().map_or(0, |spool| spool.items);
    let sum = length + exporting + exported + spooled + dropped(index);
    assert_eq!(sum, recorded, "{queue:?}");
}

fn outage_arrives_in_order(protocol: &str) {
    const SPANS: u64 = 6_000;
    let (directory, address) = (Directory::new(), free_address());
    let telemetry = start_at(
        address,
        directory.path(),
        &[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_LOGS_EXPORTER", "otlp"),
            // Without the warning that exports fail.
            ("RUST_LOG", "wire=info"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "512"),
            ("OTEL_BLRP_MAX_QUEUE_SIZE", "512"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100"),
            ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "100"),
        ],
    );
    for number in (0..SPANS).step_by(20) {
        work(number..number + 20);
        wait_until("the queue is written", || {
            [TRACES, LOGS]
                .iter()
                .all(|index| queue(*index).length < 200)
        });
    }
    for index in [TRACES, LOGS] {
        wait_until("all are on disk", || spool(index).items == SPANS);
        assert_eq!((queue(index).length, dropped(index)), (0, 0));
        counts_add_up(index, SPANS);
        wait_until("an export fails", || signal(index).failing);
    }
    let text = rustok_telemetry::prometheus_text().expect("telemetry runs");
    let text = String::from_utf8(text.body).expect("text");
    let gauges = samples(&text, "rustok_telemetry_spooled_items");
    let expected = ["{signal=\"logs\"}", "{signal=\"traces\"}"];
    assert_eq!(gauges.keys().collect::<Vec<_>>(), expected);
    assert!(gauges.values().all(|items| items == &SPANS.to_string()));
    let receiver = Receiver::at(address, Behaviour::default());
    wait_until("all arrive", || {
        [TRACES, LOGS].iter().all(|index| spool(*index).items == 0)
    });
    let expected: Vec<_> = (0..SPANS.cast_signed()).collect();
    assert!(numbers(&receiver.spans()) == expected, "not in order");
    let requests = receiver.requests();
    let logs = requests.iter().filter(|request| request.is_of("logs"));
    let logs: Vec<_> = logs.flat_map(Received::log_records).collect();
    let logs: Vec<_> = logs.iter().map(|log| number(&log.attributes)).collect();
    assert!(logs == expected, "not in order");
    for index in [TRACES, LOGS] {
        counts_add_up(index, SPANS);
    }
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    let left = fs::read_dir(directory.path()).expect("a directory").count();
    assert_eq!(left, 0, "everything is removed");
}

#[test_fork::test]
fn an_outage_longer_than_the_queue_arrives_in_order_over_http() {
    outage_arrives_in_order("http/protobuf");
}

#[test_fork::test]
fn an_outage_longer_than_the_queue_arrives_in_order_over_grpc() {
    outage_arrives_in_order("grpc");
}

#[test_fork::test]
fn a_receiver_that_answers_gets_each_span_once() {
    let (directory, receiver) = (Directory::new(), Receiver::start());
    let telemetry = start_at(receiver.address, directory.path(), &[]);
    work(0..2_000);
    let report = telemetry.force_flush(Duration::from_secs(10));
    assert!(report.is_complete(), "{report}");
    let expected: Vec<_> = (0..2_000).collect();
    assert_eq!(numbers(&receiver.spans()), expected);
    assert_eq!((spool(TRACES).items, spool(TRACES).bytes), (0, 0));
    counts_add_up(TRACES, 2_000);
    work(2_000..2_010);
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    assert_eq!(receiver.spans().len(), 2_010);
}

#[test_fork::test]
fn new_spans_are_sent_beside_the_backlog() {
    const BACKLOG: usize = 40;
    let (directory, address) = (Directory::new(), free_address());
    let one = [("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")];
    let telemetry = start_at(address, directory.path(), &one);
    let text = "x".repeat(200_000);
    for number in 0..BACKLOG as u64 {
        drop(tracing::info_span!("work", number, text));
    }
    wait_until("all are on disk", || spool(TRACES).items == BACKLOG as u64);
    wait_until("an export fails", || signal(TRACES).failing);
    let receiver = Receiver::at(address, Behaviour::default());
    wait_until("the first arrives", || receiver.spans().len() > 2);
    work(1_000..1_010);
    wait_until("all arrive", || spool(TRACES).items == 0);
    let requests = receiver.requests();
    assert_eq!(requests.len(), BACKLOG + 10);
    let numbers = numbers(&receiver.spans());
    let last_new = numbers.iter().rposition(|number| *number >= 1_000);
    assert!(last_new.is_some_and(|last| last < BACKLOG), "{numbers:?}");
    let old: Vec<_> = numbers.iter().filter(|number| **number < 1_000).collect();
    assert!(old.is_sorted() && old.len() == BACKLOG, "{numbers:?}");
    // 4 MiB in a second.
    let took = requests[requests.len() - 1].at - requests[0].at;
    assert!(took > Duration::from_millis(1_750), "{took:?}");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn bytes_on_disk_are_bounded_and_the_newest_spans_stay() {
    const SPANS: u64 = 4_000;
    let (directory, address) = (Directory::new(), free_address());
    let telemetry = start_at(
        address,
        directory.path(),
        &[("RUSTOK_TELEMETRY_SPOOL_MAX_BYTES", "16777216")],
    );
    let text = "x".repeat(8_000);
    for number in 0..SPANS {
        drop(tracing::info_span!("work", number, text));
        if number % 100 == 0 {
            sleep(Duration::from_millis(20));
        }
    }
    wait_until("the queue is on disk", || {
        queue(TRACES).length + queue(TRACES).exporting == 0
    });
    let files = directory.files("otlp");
    let sizes = files
        .iter()
        .map(|path| fs::metadata(path).map_or(0, |file| file.len()));
    let bytes: u64 = sizes.sum();
    assert!((10 << 20..=16 << 20).contains(&bytes), "{bytes}");
    assert!((bytes..=16 << 20).contains(&spool(TRACES).bytes));
    counts_add_up(TRACES, SPANS);
    let lost = queue(TRACES).lost;
    let full = lost.iter().find(|(reason, _)| *reason == "spool_full");
    let full = full.expect("a count").1;
    assert!(full > 1_000 && dropped(TRACES) == full, "{lost:?}");
    let receiver = Receiver::at(address, Behaviour::default());
    wait_until("the others arrive", || spool(TRACES).items == 0);
    let numbers = numbers(&receiver.spans());
    assert!(numbers.is_sorted() && numbers.len() as u64 == SPANS - full);
    assert!(numbers.ends_with(&(3_000..4_000).collect::<Vec<_>>()));
    assert_eq!(telemetry.shutdown().lost_spans, full);
}

#[test_fork::test]
fn spans_on_disk_expire() {
    let directory = Directory::new();
    let telemetry = start_at(
        free_address(),
        directory.path(),
        &[("RUSTOK_TELEMETRY_SPOOL_MAX_AGE", "500")],
    );
    work(0..100);
    wait_until("they expire", || dropped(TRACES) == 100);
    assert!(queue(TRACES).lost.contains(&("spool_expired", 100)));
    counts_add_up(TRACES, 100);
    assert_eq!(directory.files("otlp").len(), 0);
    let report = telemetry.shutdown();
    assert_eq!((report.lost_spans, report.spooled_spans), (100, 0));
}
