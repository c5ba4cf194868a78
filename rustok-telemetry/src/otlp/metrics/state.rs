//! Ends the series of state when the process ends.
//!
//! A counter keeps its meaning after its process has stopped. A gauge does not: "the breaker is open" is not true of a
//! process that is gone, yet receivers keep the last value for minutes. OTLP's data model has a flag for a series that
//! ends, `NO_RECORDED_VALUE`: the Collector's Prometheus exporter removes the series, and Prometheus marks it as stale.
//!
//! A gauge that appears only in the last export keeps its value: it is the result of a job, not the state of a service.

use std::{collections::HashSet, hash::BuildHasher};

use foldhash::quality::RandomState;
use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    metrics::v1::{DataPointFlags, Metric, NumberDataPoint},
};
use prost::{Message, encoding::encode_varint};

use super::collected::{POINT, point_name};
use crate::otlp::requests::{ITEM, Requests};

/// The series of state in the export before: gauges, and sums that go up and down.
#[derive(Debug, Default)]
pub(super) struct StateSeries {
    exported: HashSet<u64>,
    hasher: RandomState,
}

impl StateSeries {
    /// Begins an export. One that may be the last ends the series that the export before had.
    pub(super) fn begin_export(&mut self, is_last: bool) -> StateExport<'_> {
        if !is_last {
            self.exported.clear();
        }
        StateExport {
            series: self,
            is_last,
            ended: Vec::new(),
            encoded: Vec::new(),
        }
    }
}

/// The series of state in one export.
#[derive(Debug)]
pub(super) struct StateExport<'a> {
    series: &'a mut StateSeries,
    is_last: bool,
    /// Data points of the open metric whose series end.
    ended: Vec<NumberDataPoint>,
    /// Attributes, for the identity of a series.
    encoded: Vec<u8>,
}

impl StateExport<'_> {
    /// Adds a data point to the open metric. A series that ends waits for [`end`](Self::end).
    pub(super) fn add(&mut self, metric: &str, point: NumberDataPoint, requests: &mut Requests) {
        let id = self.identity(metric, &point.attributes);
        if self.is_last && self.series.exported.contains(&id) {
            return self.ended.push(point);
        }
        if !self.is_last {
            self.series.exported.insert(id);
        }
        requests.add(POINT, &point, || point_name(metric));
    }

    /// Ends series of a metric that was closed: `head` is the metric without data, `data` has no points.
    ///
    /// Each becomes a metric of its own: the Collector's Prometheus exporter (0.158) stops reading a metric at the first
    /// data point without a value.
    pub(super) fn end(
        &mut self,
        head: &Metric,
        field: u32,
        data: &impl Message,
        requests: &mut Requests,
    ) {
        for point in self.ended.drain(..) {
            let ended = NumberDataPoint {
                value: None,
                flags: DataPointFlags::NoRecordedValueMask as u32,
                exemplars: Vec::new(),
                ..point
            };
            requests.open(ITEM, head);
            requests.open(field, data);
            requests.add(POINT, &ended, || point_name(&head.name));
            requests.close();
            requests.close();
        }
    }

    /// The same for data points of the same series. An SDK reports the attributes of a series in one order.
    fn identity(&mut self, metric: &str, attributes: &[KeyValue]) -> u64 {
        self.encoded.clear();
        for attribute in attributes {
            let size = attribute.encoded_len();
            encode_varint(size as u64, &mut self.encoded);
            attribute.encode_raw(&mut self.encoded);
        }
        self.series.hasher.hash_one((metric, &self.encoded))
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::{
        collector::metrics::v1::ExportMetricsServiceRequest,
        metrics::v1::{
            Gauge, ResourceMetrics, ScopeMetrics, Sum, metric::Data, number_data_point::Value,
        },
    };

    use super::*;
    use crate::otlp::{
        metrics::collected,
        requests::{RESOURCE, SCOPE},
    };

    fn point(service: &str, value: i64) -> NumberDataPoint {
        NumberDataPoint {
            attributes: vec![KeyValue {
                key: service.to_owned(),
                ..KeyValue::default()
            }],
            value: Some(Value::AsInt(value)),
            ..NumberDataPoint::default()
        }
    }

    fn metric(name: &str, data: Data) -> Metric {
        Metric {
            name: name.to_owned(),
            data: Some(data),
            ..Metric::default()
        }
    }

    fn gauge(labels: &[&str]) -> Metric {
        let data_points = labels.iter().map(|label| point(label, 1)).collect();
        metric("state", Data::Gauge(Gauge { data_points }))
    }

    fn sum(name: &str, is_monotonic: bool) -> Metric {
        let sum = Sum {
            data_points: vec![point("a", 1)],
            is_monotonic,
            ..Sum::default()
        };
        metric(name, Data::Sum(sum))
    }

    /// Name, label, and whether there is a value, for each data point; each metric by itself.
    type Rows = Vec<Vec<(String, String, bool)>>;

    fn export(series: &mut StateSeries, is_last: bool, metrics: Vec<Metric>) -> Rows {
        let mut requests = Requests::new();
        requests.open(RESOURCE, &ResourceMetrics::default());
        requests.open(SCOPE, &ScopeMetrics::default());
        let mut state = series.begin_export(is_last);
        for metric in metrics {
            collected::add(metric, &mut state, &mut requests);
        }
        requests.close();
        requests.close();
        let (requests, _) = requests.finish();
        let [request] = requests.as_slice() else {
            panic!("not one request: {requests:?}");
        };
        let request = ExportMetricsServiceRequest::decode(request.message.clone());
        let mut request = request.expect("protobuf");
        let metrics = request.resource_metrics.remove(0).scope_metrics.remove(0);
        metrics.metrics.into_iter().map(rows).collect()
    }

    fn rows(metric: Metric) -> Vec<(String, String, bool)> {
        let points = match metric.data.expect("data") {
            Data::Gauge(gauge) => gauge.data_points,
            Data::Sum(sum) => sum.data_points,
            other => panic!("{other:?}"),
        };
        let row = |point: NumberDataPoint| {
            assert_eq!(point.flags == 1, point.value.is_none(), "{point:?}");
            let label = point.attributes[0].key.clone();
            (metric.name.clone(), label, point.value.is_some())
        };
        points.into_iter().map(row).collect()
    }

    fn row(name: &str, label: &str, has_value: bool) -> (String, String, bool) {
        (name.to_owned(), label.to_owned(), has_value)
    }

    #[test]
    fn gauges_and_up_down_sums_end_and_counters_stay() {
        let all = || vec![gauge(&["a", "b"]), sum("calls", true), sum("active", false)];
        let mut series = StateSeries::default();
        let usual = [
            vec![row("state", "a", true), row("state", "b", true)],
            vec![row("calls", "a", true)],
            vec![row("active", "a", true)],
        ];
        assert_eq!(export(&mut series, false, all()), usual);
        assert_eq!(export(&mut series, false, all()), usual);
        let last = [
            vec![row("state", "a", false)],
            vec![row("state", "b", false)],
            vec![row("calls", "a", true)],
            vec![row("active", "a", false)],
        ];
        assert_eq!(export(&mut series, true, all()), last);
        // The interval may end while telemetry shuts down: then there are two last exports.
        assert_eq!(export(&mut series, true, all()), last);
    }

    #[test]
    fn a_series_of_the_last_export_alone_keeps_its_value() {
        let mut series = StateSeries::default();
        let only = export(&mut series, true, vec![gauge(&["a", "b"])]);
        assert_eq!(
            only,
            [vec![row("state", "a", true), row("state", "b", true)]]
        );
        export(&mut series, false, vec![gauge(&["b"])]);
        export(&mut series, false, vec![gauge(&["a"])]);
        let last = export(&mut series, true, vec![gauge(&["a", "b"])]);
        let expected = [
            vec![row("state", "b", true)],
            vec![row("state", "a", false)],
        ];
        assert_eq!(last, expected);
    }
}
