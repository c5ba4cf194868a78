//! Takes OTLP log records over HTTP, as a Collector does.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::{
    collector::logs::v1::ExportLogsServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    logs::v1::LogRecord,
};
use prost::Message;

/// A receiver that answers every request the same.
pub(crate) struct Receiver {
    pub(crate) endpoint: String,
    records: Arc<Mutex<Vec<Received>>>,
}

/// A record, with what it came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) resource: Vec<KeyValue>,
    pub(crate) scope: String,
    pub(crate) record: LogRecord,
}

impl Receiver {
    /// Answers `status` after `delay`. Records are kept if that is 200.
    pub(crate) fn start(status: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let records = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&records);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let kept = Arc::clone(&kept);
                let connection = connection.expect("a connection");
                thread::spawn(move || serve(connection, status, delay, &kept));
            }
        });
        Self { endpoint, records }
    }

    /// What has come so far, in the order of their times; a batch has them by scope.
    pub(crate) fn records(&self) -> Vec<Received> {
        let mut records = self.records.lock().expect("no panic").clone();
        records.sort_by_key(|received| received.record.time_unix_nano);
        records
    }

    /// Waits for this many records.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Received> {
        let started = Instant::now();
        loop {
            let records = self.records();
            if records.len() >= count {
                return records;
            }
            let waited = started.elapsed();
            assert!(waited < Duration::from_secs(10), "only {records:#?}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Received {
    /// The text of the body.
    pub(crate) fn body(&self) -> &str {
        text(self.record.body.as_ref()).expect("a body")
    }

    /// The text of an attribute, which must not be there twice.
    pub(crate) fn attribute(&self, key: &str) -> Option<&str> {
        attribute(&self.record.attributes, key)
    }

    /// The text of an attribute of the resource.
    pub(crate) fn of_resource(&self, key: &str) -> Option<&str> {
        attribute(&self.resource, key)
    }

    pub(crate) fn trace_id(&self) -> String {
        hex(&self.record.trace_id)
    }

    pub(crate) fn span_id(&self) -> String {
        hex(&self.record.span_id)
    }
}

fn attribute<'attributes>(
    attributes: &'attributes [KeyValue],
    key: &str,
) -> Option<&'attributes str> {
    let mut found = attributes.iter().filter(|attribute| attribute.key == key);
    let attribute = found.next()?;
    assert!(found.next().is_none(), "{key} is there twice");
    text(attribute.value.as_ref())
}

fn text(value: Option<&AnyValue>) -> Option<&str> {
    match value?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes the requests of one connection until it ends.
fn serve(connection: TcpStream, status: u16, delay: Duration, kept: &Mutex<Vec<Received>>) {
    let mut answers = connection.try_clone().expect("a second handle");
    let mut requests = BufReader::new(connection);
    while let Some(body) = request(&mut requests) {
        thread::sleep(delay);
        if status == 200 {
            let request = ExportLogsServiceRequest::decode(&body[..]).expect("protobuf");
            kept.lock().expect("no panic").extend(received(request));
        }
        let answer = format!("HTTP/1.1 {status} answer\r\ncontent-length: 0\r\n\r\n");
        if answers.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The body of the next request.
fn request(requests: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if requests.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if line.starts_with("post") {
            assert!(line.starts_with("post /v1/logs "), "{line}");
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    requests.read_exact(&mut body).ok()?;
    Some(body)
}

fn received(request: ExportLogsServiceRequest) -> Vec<Received> {
    let mut all = Vec::new();
    for of_resource in request.resource_logs {
        let resource = of_resource.resource.unwrap_or_default().attributes;
        for of_scope in of_resource.scope_logs {
            let scope = of_scope.scope.unwrap_or_default().name;
            all.extend(of_scope.log_records.into_iter().map(|record| Received {
                resource: resource.clone(),
                scope: scope.clone(),
                record,
            }));
        }
    }
    all
}
