//! A Collector for the benchmarks: takes OTLP over HTTP and keeps the sums that came last.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    metrics::v1::{Metric, metric::Data, number_data_point::Value},
};
use prost::Message;

/// The sum over all series of a metric, and for a histogram how many values there were.
type Sums = Arc<Mutex<HashMap<String, u64>>>;

pub(crate) struct Collector {
    address: String,
    sums: Sums,
}

impl Collector {
    /// Listens on a free port, until the program ends.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let sums = Sums::default();
        let kept = Arc::clone(&sums);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let sums = Arc::clone(&kept);
                thread::spawn(move || serve(connection, &sums));
            }
        });
        Self { address, sums }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asserts what came last.
    pub(crate) fn assert_last_sums(&self, expected: &[(&str, u64)]) {
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, sum) in expected {
            assert_eq!(
                sums.get(*name).copied().unwrap_or_default(),
                *sum,
                "{name} over OTLP"
            );
        }
    }
}

fn serve(connection: TcpStream, sums: &Mutex<HashMap<String, u64>>) {
    let Ok(mut answer) = connection.try_clone() else {
        return;
    };
    let mut requests = BufReader::new(connection);
    while let Some(body) = read_request(&mut requests) {
        let request = ExportMetricsServiceRequest::decode(body.as_slice()).expect("valid OTLP");
        let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
        let scopes = request
            .resource_metrics
            .iter()
            .flat_map(|resource| &resource.scope_metrics);
        for metric in scopes.flat_map(|scope| &scope.metrics) {
            sums.insert(metric.name.clone(), sum(metric));
        }
        drop(sums);
        if answer
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .is_err()
        {
            return;
        }
    }
}

fn read_request(requests: &mut impl BufRead) -> Option<Vec<u8>> {
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
    Some(body)
}

fn sum(metric: &Metric) -> u64 {
    let numbers = match &metric.data {
        Some(Data::Sum(sum)) => &sum.data_points,
        Some(Data::Gauge(gauge)) => &gauge.data_points,
        Some(Data::Histogram(histogram)) => {
            return histogram.data_points.iter().map(|point| point.count).sum();
        }
        _ => return 0,
    };
    let value = |value| match value {
        Value::AsInt(value) => value as u64,
        Value::AsDouble(value) => value as u64,
    };
    numbers
        .iter()
        .filter_map(|point| point.value)
        .map(value)
        .sum()
}
