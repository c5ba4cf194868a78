//! What many series cost in Prometheus: memory, and disk for each sample.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::scale::node::Node;
use crate::scale::tiers::clear;
use crate::scale::traces::{nanoseconds, text};
use crate::scale::{Error, client};
use crate::stack::run_dir::RunDir;
use crate::stack::{Port, Ports, Service, Setup};

/// Series, in requests of this many.
const INSTANCES: usize = 40;
const PER_INSTANCE: usize = 1000;
/// Samples of each series: those of a block of two hours at the SDK's default export interval.
const SAMPLES: u32 = 120;
/// From one sample to the next.
const INTERVAL: Duration = Duration::from_secs(60);

/// What series and samples need.
#[derive(Debug, Clone, Copy)]
pub struct Series {
    /// Series, each with 120 samples.
    pub series: usize,
    /// Bytes of memory of a series.
    pub memory: f64,
    /// Bytes of a sample in a block, with its share of the index.
    pub sample: f64,
}

/// Sends counters of 40 instances to a Prometheus in `folder`.
pub fn measure(
    prometheus: &Path,
    folder: &Path,
    random: &mut fastrand::Rng,
) -> Result<Series, Error> {
    clear(folder)?;
    let (ports, service) = (Ports::free()?, Service::Prometheus);
    let dir = RunDir::create(folder)?;
    fs::create_dir_all(folder.join("prometheus"))?;
    fs::write(dir.prometheus_config(), "global: {}\n")?;
    let mut arguments = service.arguments(&ports, &dir, Setup::default());
    let more = ["--web.enable-otlp-receiver", "--web.enable-admin-api"];
    arguments.extend(more.map(Into::into));
    let ready = service.ready_url(&ports);
    let mut node = Node::of_program("Prometheus", prometheus, arguments, &ready, folder)?;
    node.start()?;
    let before = node.resident()?;
    let url = ports.url(Port::Prometheus);
    let client = client();
    let now = SystemTime::UNIX_EPOCH.elapsed()?;
    let mut values = vec![0_u32; INSTANCES * PER_INSTANCE];
    for step in (0..SAMPLES).rev() {
        let time = now - step * INTERVAL;
        for (instance, values) in values.chunks_mut(PER_INSTANCE).enumerate() {
            // Most series of a service are quiet, and some are busy.
            for value in values.iter_mut() {
                if random.u8(..) < 64 {
                    *value += random.u32(..200);
                }
            }
            let body = request(instance, values, time).encode_to_vec();
            let post = client.post(format!("{url}/api/v1/otlp/v1/metrics"));
            post.content_type("application/x-protobuf").send(&body)?;
        }
    }
    let memory = node.resident()?.saturating_sub(before);
    let snapshot = client.post(format!("{url}/api/v1/admin/tsdb/snapshot"));
    snapshot.send_empty()?;
    let disk = size_of(&dir.data(service).join("snapshots"))?;
    let series = values.len();
    Ok(Series {
        series,
        memory: memory as f64 / series as f64,
        sample: disk as f64 / (series as f64 * f64::from(SAMPLES)),
    })
}

/// Returns the bytes of all files below a folder.
pub(super) fn size_of(folder: &Path) -> Result<u64, Error> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = match entry.metadata() {
            Ok(about) => about,
            // A program has removed it.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        bytes += match about.is_dir() {
            true => size_of(&entry.path())?,
            false => about.len(),
        };
    }
    Ok(bytes)
}

fn request(instance: usize, values: &[u32], time: Duration) -> ExportMetricsServiceRequest {
    let point = |(number, value): (usize, &u32)| NumberDataPoint {
        attributes: vec![
            text("method", ["GET", "POST", "PUT", "DELETE"][number % 4]),
            text(
                "route",
                &format!("/api/v1/resources/{}/items/{{id}}", number / 4 % 10),
            ),
            text(
                "tenant_id",
                &format!("7b0c5f1e-9d3a-4c55-8f10-{:012x}", number / 40),
            ),
        ],
        time_unix_nano: nanoseconds(time),
        value: Some(Value::AsInt(i64::from(*value))),
        ..NumberDataPoint::default()
    };
    let metric = Metric {
        name: "rustok_http_requests".to_owned(),
        data: Some(Data::Sum(Sum {
            data_points: values.iter().enumerate().map(point).collect(),
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
            is_monotonic: true,
        })),
        ..Metric::default()
    };
    let resource = Resource {
        attributes: vec![
            text("service.name", "shop"),
            text("service.instance.id", &format!("shop-{instance}")),
        ],
        ..Resource::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource),
            scope_metrics: vec![ScopeMetrics {
                metrics: vec![metric],
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
}
