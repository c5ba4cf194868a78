//! Encodes the metrics that the SDK collected.

use std::mem;

use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{Exemplar, Metric, NumberDataPoint, metric::Data},
};
use prost::Message;

use super::{native, state::StateExport};
use crate::{
    metrics::registered,
    otlp::requests::{ITEM, Requests},
};

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

/// Adds exemplars to the points of a metric of the catalogue that the SDK stores. With delta temporality, only those of
/// the point's interval.
pub(super) fn add_exemplars(metric: &mut Metric) {
    let Some(declared) = registered::by_name(&metric.name) else {
        return;
    };
    let exemplars = |attributes: &[KeyValue], start: u64| -> Vec<Exemplar> {
        let found = registered::exemplars(declared, |name| {
            let attribute = attributes.iter().find(|attribute| attribute.key == name)?;
            match attribute.value.as_ref()?.value.as_ref()? {
                Value::StringValue(text) => Some(text),
                _ => None,
            }
        });
        let recent = found
            .into_iter()
            .filter(|(_, exemplar)| exemplar.time >= start);
        native::encode(recent.collect())
    };
    match &mut metric.data {
        Some(Data::Sum(data)) => {
            for point in &mut data.data_points {
                point.exemplars = exemplars(&point.attributes, point.start_time_unix_nano);
            }
        }
        Some(Data::Histogram(data)) => {
            for point in &mut data.data_points {
                point.exemplars = exemplars(&point.attributes, point.start_time_unix_nano);
            }
        }
        _ => {}
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
