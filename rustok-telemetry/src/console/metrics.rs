//! Metrics on standard output.

use std::time::Duration;

use opentelemetry_sdk::{
    error::OTelSdkResult,
    metrics::{
        Temporality,
        data::{AggregatedMetrics, HistogramDataPoint, Metric, MetricData, ResourceMetrics},
        exporter::PushMetricExporter,
    },
};
use serde_json::{Value as Json, json};

use super::{attributes, write_line};

/// Writes each metric that has values, at each interval. It counts from the start.
#[derive(Debug)]
pub(crate) struct ConsoleMetrics;

impl PushMetricExporter for ConsoleMetrics {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        for scope in metrics.scope_metrics() {
            for metric in scope.metrics() {
                write_line(&line(metric));
            }
        }
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

fn line(metric: &Metric) -> Json {
    let (kind, points) = match metric.data() {
        AggregatedMetrics::F64(data) => points(data),
        AggregatedMetrics::U64(data) => points(data),
        AggregatedMetrics::I64(data) => points(data),
    };
    json!({
        "metric": metric.name(),
        "unit": metric.unit(),
        "kind": kind,
        "points": points,
    })
}

fn points<T>(data: &MetricData<T>) -> (&'static str, Vec<Json>)
where
    T: Copy + Into<Json>,
{
    let point = |labels: Json, value: T| json!({ "attributes": labels, "value": value.into() });
    match data {
        MetricData::Gauge(gauge) => {
            let points = gauge.data_points();
            let points = points.map(|each| point(attributes(each.attributes()), each.value()));
            ("gauge", points.collect())
        }
        MetricData::Sum(sum) => {
            let points = sum.data_points();
            let points = points.map(|each| point(attributes(each.attributes()), each.value()));
            ("sum", points.collect())
        }
        MetricData::Histogram(histogram) => {
            ("histogram", histogram.data_points().map(buckets).collect())
        }
        // No metric is aggregated so.
        _ => ("other", Vec::new()),
    }
}

fn buckets<T: Copy + Into<Json>>(point: &HistogramDataPoint<T>) -> Json {
    json!({
        "attributes": attributes(point.attributes()),
        "count": point.count(),
        "sum": point.sum().into(),
        "bounds": point.bounds().collect::<Vec<_>>(),
        "buckets": point.bucket_counts().collect::<Vec<_>>(),
    })
}
