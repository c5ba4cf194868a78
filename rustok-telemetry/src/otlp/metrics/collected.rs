//! What the SDK has collected, put into requests.

use std::mem;

use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data};
use prost::Message;

use crate::otlp::requests::{ITEM, Requests};

/// The fields of a metric that hold its data, by kind.
pub(super) const GAUGE: u32 = 5;
pub(super) const SUM: u32 = 7;
pub(super) const HISTOGRAM: u32 = 9;
const EXPONENTIAL_HISTOGRAM: u32 = 10;
const SUMMARY: u32 = 11;

/// The field of the data that holds its points, for all kinds.
pub(super) const POINT: u32 = 1;

/// Adds a metric of the SDK.
pub(super) fn add(mut metric: Metric, requests: &mut Requests) {
    let data = metric.data.take();
    requests.open(ITEM, &metric);
    match data {
        Some(Data::Gauge(mut data)) => {
            let points = mem::take(&mut data.data_points);
            add_points(&metric.name, GAUGE, &data, points, requests);
        }
        Some(Data::Sum(mut data)) => {
            let points = mem::take(&mut data.data_points);
            add_points(&metric.name, SUM, &data, points, requests);
        }
        Some(Data::Histogram(mut data)) => {
            let points = mem::take(&mut data.data_points);
            add_points(&metric.name, HISTOGRAM, &data, points, requests);
        }
        Some(Data::ExponentialHistogram(mut data)) => {
            let points = mem::take(&mut data.data_points);
            add_points(&metric.name, EXPONENTIAL_HISTOGRAM, &data, points, requests);
        }
        Some(Data::Summary(mut data)) => {
            let points = mem::take(&mut data.data_points);
            add_points(&metric.name, SUMMARY, &data, points, requests);
        }
        None => {}
    }
    requests.close();
}

/// `data` is without its points.
fn add_points<D: Message, P: Message>(
    metric: &str,
    field: u32,
    data: &D,
    points: Vec<P>,
    requests: &mut Requests,
) {
    requests.open(field, data);
    for point in points {
        requests.add(POINT, &point, || point_name(metric));
    }
    requests.close();
}

/// What a data point is called where it is too large.
pub(super) fn point_name(metric: &str) -> String {
    format!("a data point of the metric {metric:?}")
}
