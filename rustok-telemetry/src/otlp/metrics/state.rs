//! Ends the series of gauges and up-down sums when the process ends.
//!
//! Receivers keep the last value of a series for minutes. A counter stays right after its process has stopped; a gauge
//! such as "the breaker is open" does not. OTLP has a flag for a series that ends, `NO_RECORDED_VALUE`: the Collector's
//! Prometheus exporter removes the series, and Prometheus marks it as stale.
//!
//! A gauge that only the last export has keeps its value: it is the result of a job.

use std::{collections::HashSet, hash::BuildHasher};

use foldhash::quality::RandomState;
use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    metrics::v1::{DataPointFlags, Metric, NumberDataPoint},
};
use prost::{Message, encoding::encode_varint};

use super::collected::{POINT, point_name};
use crate::otlp::requests::{ITEM, Requests};

/// The gauge and up-down series of the previous export.
#[derive(Debug, Default)]
pub(super) struct StateSeries {
    exported: HashSet<u64>,
    hasher: RandomState,
}

impl StateSeries {
    /// Begins an export. The last one ends the series that the previous export had.
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

/// The gauge and up-down series of one export.
#[derive(Debug)]
pub(super) struct StateExport<'a> {
    series: &'a mut StateSeries,
    is_last: bool,
    /// Data points of the open metric whose series end.
    ended: Vec<NumberDataPoint>,
    /// A buffer for encoded attributes.
    encoded: Vec<u8>,
}

impl StateExport<'_> {
    /// Adds a data point to the open metric. [`end`](Self::end) writes a series that ends.
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

    /// Returns the identity of a series. The SDK reports the attributes of a series in a fixed order.
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
    use super::*;

    /// An interval may end during a shutdown, so there may be two last exports.
    #[test]
    fn last_exports_end_series_of_the_previous_export() {
        let mut series = StateSeries::default();
        for (is_last, key, ends) in [
            (false, "b", false),
            (false, "a", false),
            (true, "b", false),
            (true, "a", true),
            (true, "a", true),
        ] {
            let mut export = series.begin_export(is_last);
            let key = key.to_owned();
            let attributes = vec![KeyValue {
                key,
                ..KeyValue::default()
            }];
            let point = NumberDataPoint {
                attributes,
                ..NumberDataPoint::default()
            };
            export.add("gauge", point, &mut Requests::new());
            assert_eq!(!export.ended.is_empty(), ends);
        }
    }
}
