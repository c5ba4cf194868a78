//! A Collector for the benchmarks: takes OTLP over HTTP, keeps the sums that came last, and counts spans.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    metrics::v1::{Metric, metric::Data, number_data_point::Value},
};
use prost::Message;

/// The sums of the last export, by metric.
type Sums = Arc<Mutex<HashMap<String, Sum>>>;

/// The sum over all series of a metric, and for a histogram how many values there were.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    /// The time of the data points. An export may come in several requests, whose points have one time.
    time: u64,
    sum: u64,
}

pub(crate) struct Collector {
    address: String,
    received: Received,
}

/// What came.
#[derive(Debug, Clone, Default)]
struct Received {
    sums: Sums,
    spans: Spans,
}

/// How many spans came, by their names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans(Arc<Mutex<HashMap<String, u64>>>);

impl Spans {
    pub(crate) fn count(&self) -> u64 {
        self.names().values().sum()
    }

    pub(crate) fn named(&self, name: &str) -> u64 {
        self.names().get(name).copied().unwrap_or_default()
    }

    fn names(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector {
    /// Listens on a free port, until the program ends.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let received = Received::default();
        let kept = received.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let received = kept.clone();
                thread::spawn(move || serve(connection, &received));
            }
        });
        Self { address, received }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The count of the spans that came and will come.
    pub(crate) fn spans(&self) -> Spans {
        self.received.spans.clone()
    }

    /// The sum that a metric had when it came last; 0 if it never came.
    pub(crate) fn last_sum(&self, name: &str) -> u64 {
        let sums = &self.received.sums;
        let sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
        sums.get(name).map_or(0, |last| last.sum)
    }

    /// Asserts what came last.
    pub(crate) fn assert_last_sums(&self, expected: &[(&str, u64)]) {
        for (name, sum) in expected {
            assert_eq!(self.last_sum(name), *sum, "{name} over OTLP");
        }
    }
}

/// As a Collector's, which has nothing to say about what it took.
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";

fn serve(connection: TcpStream, received: &Received) {
    let Ok(mut answer) = connection.try_clone() else {
        return;
    };
    let mut requests = BufReader::new(connection);
    while let Some((path, body)) = read_request(&mut requests) {
        if path.ends_with("/traces") {
            received.take_spans(&body);
        } else {
            received.take_sums(&body);
        }
        if answer.write_all(ANSWER).is_err() {
            return;
        }
    }
}

impl Received {
    fn take_spans(&self, body: &[u8]) {
        let request = names::Request::decode(body).expect("valid OTLP");
        let scopes = request
            .resources
            .into_iter()
            .flat_map(|resource| resource.scopes);
        let mut names = self.spans.names();
        for span in scopes.flat_map(|scope| scope.spans) {
            *names.entry(span.name).or_default() += 1;
        }
    }

    fn take_sums(&self, body: &[u8]) {
        let request = ExportMetricsServiceRequest::decode(body).expect("valid OTLP");
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let scopes = request
            .resource_metrics
            .iter()
            .flat_map(|resource| &resource.scope_metrics);
        for metric in scopes.flat_map(|scope| &scope.metrics) {
            let Some(Sum { time, sum }) = sum(metric) else {
                continue;
            };
            let last = sums.entry(metric.name.clone()).or_default();
            let earlier = match last.time == time {
                true => last.sum,
                false => 0,
            };
            *last = Sum {
                time,
                sum: earlier + sum,
            };
        }
    }
}

/// What is read of an `ExportTraceServiceRequest`: the rest is stepped over, which takes little from whoever is measured
/// beside it.
mod names {
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Request {
        #[prost(message, repeated, tag = "1")]
        pub(super) resources: Vec<Resource>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Resource {
        #[prost(message, repeated, tag = "2")]
        pub(super) scopes: Vec<Scope>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Scope {
        #[prost(message, repeated, tag = "2")]
        pub(super) spans: Vec<Span>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Span {
        #[prost(string, tag = "5")]
        pub(super) name: String,
    }
}

/// The path and the body.
fn read_request(requests: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut first = String::new();
    requests.read_line(&mut first).ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if requests.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    requests.read_exact(&mut body).ok()?;
    Some((path, body))
}

/// What a metric says in one request; nothing if all of its series have ended.
fn sum(metric: &Metric) -> Option<Sum> {
    let numbers = match &metric.data {
        Some(Data::Sum(sum)) => &sum.data_points,
        Some(Data::Gauge(gauge)) => &gauge.data_points,
        Some(Data::Histogram(histogram)) => {
            let points = &histogram.data_points;
            return Some(Sum {
                time: points.first()?.time_unix_nano,
                sum: points.iter().map(|point| point.count).sum(),
            });
        }
        _ => return None,
    };
    let value = |value| match value {
        Value::AsInt(value) => value as u64,
        Value::AsDouble(value) => value as u64,
    };
    let values = numbers.iter().filter_map(|point| point.value);
    let any = numbers.iter().find(|point| point.value.is_some())?;
    Some(Sum {
        time: any.time_unix_nano,
        sum: values.map(value).sum(),
    })
}
