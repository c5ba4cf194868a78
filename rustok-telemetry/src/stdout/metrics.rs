//! The `console` exporter of metrics.

use std::time::Duration;

use opentelemetry_sdk::{
    error::OTelSdkResult,
    metrics::{
        Temporality,
        data::{
            AggregatedMetrics, HistogramDataPoint, Metric, MetricData, ResourceMetrics,
            ScopeMetrics,
        },
        exporter::PushMetricExporter,
    },
};
use serde_json::{Value as Json, json};

use super::{attributes, write_line};
use crate::metrics::{
    Kind,
    meter_provider::WAKE_SCOPE,
    registered::{ALL, RegisteredMetric},
    store::point::{Point, SeriesLabels},
};

/// Writes each metric that has values, at each interval, with cumulative temporality.
#[derive(Debug)]
pub(crate) struct ConsoleMetrics;

impl PushMetricExporter for ConsoleMetrics {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let scopes = metrics.scope_metrics();
        let shown = scopes.filter(|scope| scope.scope().name() != WAKE_SCOPE);
        for metric in shown.flat_map(ScopeMetrics::metrics) {
            write_line(&line(metric));
        }
        for line in ALL.iter().filter_map(|metric| native_line(*metric)) {
            write_line(&line);
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
    as_json(metric.name(), metric.unit(), kind, points)
}

/// Returns the line of a native metric, if it has values.
fn native_line(metric: &dyn RegisteredMetric) -> Option<Json> {
    let declaration = metric.declaration();
    let kind = match declaration.kind {
        Kind::Counter | Kind::UpDownCounter => "sum",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
        Kind::ObservableGauge | Kind::ObservableCounter => return None,
    };
    let mut points = Vec::new();
    metric.read(&mut |labels, point| points.push(native_point(labels, point)));
    let (name, unit) = (declaration.name, declaration.unit);
    (!points.is_empty()).then(|| as_json(name, unit, kind, points))
}

fn as_json(name: &str, unit: &str, kind: &str, points: Vec<Json>) -> Json {
    json!({
        "metric": name,
        "unit": unit,
        "kind": kind,
        "points": points,
    })
}

fn native_point(labels: SeriesLabels<'_>, point: Point) -> Json {
    let labels = labels.iter();
    let labels: Json = labels
        .map(|(name, value)| (name.to_owned(), Json::from(value)))
        .collect();
    let value: Json = match point {
        Point::U64(value) => value.into(),
        Point::I64(value) => value.into(),
        Point::F64(value) => value.into(),
        Point::Histogram(all) => {
            return json!({
                "attributes": labels,
                "count": all.count(),
                "sum": all.sum,
                "bounds": &*all.boundaries,
                "buckets": all.counts,
            });
        }
    };
    json!({ "attributes": labels, "value": value })
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
        // No metric has another aggregation.
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
