//! The `console` exporter of metrics.

use opentelemetry_sdk::{error::OTelSdkResult, metrics::data::ResourceMetrics};
use serde_json::{Value as Json, json};

use super::{json, write_line};
use crate::metrics::{
    Kind, bridge,
    push_reader::PushExporter,
    snapshot::{self, Labels, MetricSnapshot},
    store::{distribution::NumberValue, point::Point},
};

/// Writes each metric that has values, at each interval, with cumulative temporality.
#[derive(Debug)]
pub(crate) struct ConsoleMetrics;

impl PushExporter for ConsoleMetrics {
    fn export(&mut self, collected: &ResourceMetrics) -> OTelSdkResult {
        let gathered = bridge::gather();
        let metrics = snapshot::metrics(collected, &gathered);
        for line in metrics.filter_map(|metric| line(&metric)) {
            write_line(&line);
        }
        Ok(())
    }
}

/// Returns the line of a metric, if it has values.
fn line(metric: &MetricSnapshot<'_>) -> Option<Json> {
    let mut points = Vec::new();
    metric.visit(&mut |labels, point| {
        let attributes: Json = match labels {
            Labels::Native(labels) => {
                let labels = labels.iter();
                labels.collect()
            }
            Labels::Attributes(attributes) => {
                let attributes = attributes.iter();
                attributes.map(|(key, value)| (*key, json(value))).collect()
            }
        };
        points.push(match point {
            Point::Number(value) => json!({ "attributes": attributes, "value": number(value) }),
            Point::Histogram(all) => json!({
                "attributes": attributes,
                "count": all.count,
                "sum": number(all.sum),
                "bounds": &*all.boundaries,
                "buckets": all.counts,
            }),
        });
    });
    let kind = match metric.kind {
        Kind::Counter | Kind::UpDownCounter | Kind::ObservableCounter => "sum",
        Kind::Gauge | Kind::ObservableGauge => "gauge",
        Kind::Histogram => "histogram",
    };
    (!points.is_empty()).then(|| {
        json!({
            "metric": metric.name,
            "unit": metric.unit,
            "kind": kind,
            "points": points,
        })
    })
}

fn number(value: NumberValue) -> Json {
    match value {
        NumberValue::U64(value) => value.into(),
        NumberValue::I64(value) => value.into(),
        NumberValue::F64(value) => value.into(),
    }
}
