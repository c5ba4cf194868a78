//! Encodes the metrics that the SDK collected.

use std::mem;

use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint, metric::Data};
use prost::Message;

use super::state::StateExport;
use crate::otlp::requests::{ITEM, Requests};

/// The field numbers of a metric's data, by kind.
pub(super) const GAUGE: u32 = 5;
pub(super) const SUM: u32 = 7;
pub(super) const HISTOGRAM: u32 = 9;
const EXPONENTIAL_HISTOGRAM: u32 = 10;
const SUMMARY: u32 = 11;

/// The field number of the data points, of all kinds.
pub(super) const POINT: u32 = 1;

pub(super) fn add(mut metric: Metric, state: &mut StateExport<'_>, requests: &mut Requests) {
    match metric.data.take() {
        Some(Data::Gauge(mut data)) => {
            let points = mem::take(&mut data.data_points);
            add_state(&metric, GAUGE, &data, points, state, requests);
        }
        Some(Data::Sum(mut data)) => {
            let points = mem::take(&mut data.data_points);
            match data.is_monotonic {
                true => add_points(&metric, SUM, &data, points, requests),
                false => add_state(&metric, SUM, &data, points, state, requests),
            }
        }
        Some(Data::Histogram(mut data)) => {
            let points = mem::take(&mut data.data_points);
            add_points(&metric, HISTOGRAM, &data, points, requests);
        }
        Some(Data::ExponentialHistogram(mut data)) => {
            let points = mem::take(&mut data.data_points);
            add_points(&metric, EXPONENTIAL_HISTOGRAM, &data, points, requests);
        }
        Some(Data::Summary(mut data)) => {
            let points = mem::take(&mut data.data_points);
            add_points(&metric, SUMMARY, &data, points, requests);
        }
        None => {}
    }
}

/// `metric` is without its data, and `data` without its points.
fn add_points<D: Message, P: Message>(
    metric: &Metric,
    field: u32,
    data: &D,
    points: Vec<P>,
    requests: &mut Requests,
) {
    requests.open(ITEM, metric);
    requests.open(field, data);
    for point in points {
        requests.add(POINT, &point, || point_name(&metric.name));
    }
    requests.close();
    requests.close();
}

/// Like [`add_points`], for gauges and sums that go up and down.
fn add_state<D: Message>(
    metric: &Metric,
    field: u32,
    data: &D,
    points: Vec<NumberDataPoint>,
    state: &mut StateExport<'_>,
    requests: &mut Requests,
) {
    requests.open(ITEM, metric);
    requests.open(field, data);
    for point in points {
        state.add(&metric.name, point, requests);
    }
    requests.close();
    requests.close();
    state.end(metric, field, data, requests);
}

pub(super) fn point_name(metric: &str) -> String {
    format!("a data point of the metric {metric:?}")
}
