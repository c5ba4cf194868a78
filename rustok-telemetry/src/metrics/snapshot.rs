//! Native metrics, those that the SDK collected and those of registries of other libraries, in one form for all readers:
//! the Prometheus text, the exporters and test captures.
//!
//! Series are visited one at a time, so no reader needs a copy of all. The OTLP exporter alone takes the metrics of the
//! SDK from the SDK, with their times and exemplars.

use std::borrow::Cow;

use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::{
    Resource,
    metrics::data::{
        AggregatedMetrics, GaugeDataPoint, HistogramDataPoint, Metric, MetricData, ResourceMetrics,
        SumDataPoint,
    },
};

use super::{
    Kind,
    bridge::{self, Gathered, GatheredMetric},
    meter_provider::SCOPE,
    registered::{self, ALL, Readable},
    store::{
        distribution::{Distribution, NumberValue},
        exemplars::Exemplar,
        point::{Point, SeriesLabels},
    },
};

/// Returns the metrics of a collection by the SDK, then the native and the gathered ones. Some have no series.
pub(crate) fn metrics<'a>(
    collected: &'a ResourceMetrics,
    gathered: &'a Gathered,
) -> impl Iterator<Item = MetricSnapshot<'a>> {
    let scopes = collected.scope_metrics();
    let of_sdk = scopes.flat_map(|metrics| {
        let origin = Origin::of(metrics.scope());
        let metrics = metrics.metrics();
        metrics.filter_map(move |metric| MetricSnapshot::of_sdk(origin, metric))
    });
    of_sdk.chain(native()).chain(self::gathered(gathered))
}

/// Returns the native metrics. Those that the SDK stores have no series.
pub(crate) fn native<'a>() -> impl Iterator<Item = MetricSnapshot<'a>> {
    ALL.iter().map(|metric| MetricSnapshot::native(*metric))
}

/// Returns the metrics of registries of other libraries.
pub(crate) fn gathered(gathered: &Gathered) -> impl Iterator<Item = MetricSnapshot<'_>> {
    gathered.metrics().map(MetricSnapshot::gathered)
}

/// Returns the help text of a metric of the SDK, if it is not the one with which its instrument was created.
pub(crate) fn later_help(scope: &str, metric: &str) -> Option<&'static str> {
    #[cfg(feature = "metrics-facade")]
    if scope == super::facade::SCOPE {
        return super::facade::help(metric);
    }
    let _ = (scope, metric);
    None
}

/// A metric, whose series [`visit`](Self::visit) reads.
#[derive(Clone, Copy)]
pub(crate) struct MetricSnapshot<'a> {
    pub(crate) name: &'a str,
    pub(crate) help: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) kind: Kind,
    pub(crate) origin: Origin<'a>,
    source: Source<'a>,
}

/// Where a metric comes from, ordered by precedence among metrics with the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin<'a> {
    Catalogue,
    Resource,
    OtherMeter {
        scope: &'a str,
        version: Option<&'a str>,
    },
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Native(&'a dyn Readable),
    Sdk(&'a Metric),
    Resource(&'a Resource),
    Gathered(&'a GatheredMetric),
}

pub(crate) enum Labels<'a> {
    Native(SeriesLabels<'a>),
    /// Attributes, in the order of the SDK.
    Attributes(&'a [(&'a str, &'a Value)]),
}

impl<'a> MetricSnapshot<'a> {
    pub(crate) fn native(metric: &'a dyn Readable) -> Self {
        let declaration = metric.declaration();
        Self {
            name: declaration.name,
            help: declaration.help,
            unit: declaration.unit,
            kind: declaration.kind,
            origin: Origin::Catalogue,
            source: Source::Native(metric),
        }
    }

    /// Returns the resource as the metric `target_info`; `None` if it is empty.
    pub(crate) fn target_info(resource: &'a Resource) -> Option<Self> {
        (!resource.is_empty()).then_some(Self {
            name: "target_info",
            help: "Target metadata",
            unit: "",
            kind: Kind::Gauge,
            origin: Origin::Resource,
            source: Source::Resource(resource),
        })
    }

    fn gathered(metric: &'a GatheredMetric) -> Self {
        Self {
            name: &metric.name,
            help: &metric.help,
            unit: "",
            kind: metric.kind,
            origin: Origin::OtherMeter {
                scope: bridge::SCOPE,
                version: None,
            },
            source: Source::Gathered(metric),
        }
    }

    fn of_sdk(origin: Origin<'a>, metric: &'a Metric) -> Option<Self> {
        let later_help = match origin {
            Origin::OtherMeter { scope, .. } => later_help(scope, metric.name()),
            Origin::Catalogue | Origin::Resource => None,
        };
        Some(Self {
            name: metric.name(),
            help: later_help.unwrap_or(metric.description()),
            unit: metric.unit(),
            kind: match metric.data() {
                AggregatedMetrics::F64(data) => kind(data),
                AggregatedMetrics::U64(data) => kind(data),
                AggregatedMetrics::I64(data) => kind(data),
            }?,
            origin,
            source: Source::Sdk(metric),
        })
    }

    pub(crate) fn visit(&self, visit: &mut dyn FnMut(Labels<'_>, Point)) {
        match self.source {
            Source::Native(metric) => {
                metric.read(&mut |labels, point| visit(Labels::Native(labels), point));
            }
            Source::Sdk(metric) => match metric.data() {
                AggregatedMetrics::F64(data) => visit_data(data, visit),
                AggregatedMetrics::U64(data) => visit_data(data, visit),
                AggregatedMetrics::I64(data) => visit_data(data, visit),
            },
            Source::Resource(resource) => {
                let attributes = resource.iter().map(|(key, value)| (key.as_str(), value));
                let attributes: Vec<_> = attributes.collect();
                let one = Point::Number(NumberValue::U64(1));
                visit(Labels::Attributes(&attributes), one);
            }
            Source::Gathered(metric) => {
                for (labels, point) in &metric.series {
                    let labels = labels.iter().map(|each| (each.key.as_str(), &each.value));
                    let labels: Vec<_> = labels.collect();
                    visit(Labels::Attributes(&labels), point.clone());
                }
            }
        }
    }
}

impl MetricSnapshot<'_> {
    /// Returns the exemplars of a series of this metric, each with its bucket; 0 for a counter.
    pub(crate) fn exemplars(&self, labels: &Labels<'_>) -> Vec<(usize, Exemplar)> {
        match labels {
            Labels::Native(labels) => labels.exemplars(),
            Labels::Attributes(attributes) if self.origin == Origin::Catalogue => {
                let Some(metric) = registered::by_name(self.name) else {
                    return Vec::new();
                };
                registered::exemplars(metric, |name| {
                    let attribute = attributes.iter().find(|(key, _)| *key == name);
                    attribute.and_then(|(_, value)| match value {
                        Value::String(text) => Some(text.as_str()),
                        _ => None,
                    })
                })
            }
            Labels::Attributes(_) => Vec::new(),
        }
    }
}

impl<'a> Origin<'a> {
    fn of(scope: &'a InstrumentationScope) -> Self {
        match scope.name() {
            SCOPE => Self::Catalogue,
            name => Self::OtherMeter {
                scope: name,
                version: scope.version(),
            },
        }
    }
}

impl Labels<'_> {
    /// Returns names and values, as text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let (native, attributes) = match self {
            Self::Native(labels) => (Some(labels.iter()), [].as_slice()),
            Self::Attributes(attributes) => (None, *attributes),
        };
        let native = native.into_iter().flatten();
        let native = native.map(|(name, value)| (name, Cow::Borrowed(value)));
        native.chain(attributes.iter().map(|(key, value)| (*key, value.as_str())))
    }
}

/// Returns the kind of a metric; `None` for an exponential histogram, which no configuration selects.
fn kind<T>(data: &MetricData<T>) -> Option<Kind> {
    match data {
        MetricData::Gauge(_) => Some(Kind::Gauge),
        MetricData::Sum(sum) if sum.is_monotonic() => Some(Kind::Counter),
        MetricData::Sum(_) => Some(Kind::UpDownCounter),
        MetricData::Histogram(_) => Some(Kind::Histogram),
        MetricData::ExponentialHistogram(_) => None,
    }
}

fn visit_data<T>(data: &MetricData<T>, visit: &mut dyn FnMut(Labels<'_>, Point))
where
    T: Copy + Into<NumberValue>,
{
    match data {
        MetricData::Gauge(gauge) => {
            let number = |point: &GaugeDataPoint<T>| Point::Number(point.value().into());
            visit_points(
                gauge.data_points(),
                |point| point.attributes(),
                number,
                visit,
            );
        }
        MetricData::Sum(sum) => {
            let number = |point: &SumDataPoint<T>| Point::Number(point.value().into());
            visit_points(sum.data_points(), |point| point.attributes(), number, visit);
        }
        MetricData::Histogram(histogram) => {
            let points = histogram.data_points();
            visit_points(points, |point| point.attributes(), distribution, visit);
        }
        MetricData::ExponentialHistogram(_) => {}
    }
}

/// Visits data points ordered by the keys and types of their attributes. The SDK has them in any order, and of attribute
/// sets that become the same labels in Prometheus, always the same one has to come first.
fn visit_points<'a, P: 'a, A>(
    points: impl Iterator<Item = &'a P>,
    attributes: impl Fn(&'a P) -> A,
    value: impl Fn(&'a P) -> Point,
    visit: &mut dyn FnMut(Labels<'_>, Point),
) where
    A: Iterator<Item = &'a KeyValue>,
{
    let mut points: Vec<_> = points.collect();
    let key = |attribute: &'a KeyValue| (attribute.key.as_str(), rank(&attribute.value));
    points.sort_by(|a, b| attributes(a).map(key).cmp(attributes(b).map(key)));
    let mut labels = Vec::new();
    for point in points {
        labels.clear();
        labels.extend(attributes(point).map(|each| (each.key.as_str(), &each.value)));
        visit(Labels::Attributes(&labels), value(point));
    }
}

/// Orders values of different types that may have the same text.
fn rank(value: &Value) -> u8 {
    match value {
        Value::String(_) => 0,
        Value::Bool(_) => 1,
        Value::I64(_) => 2,
        Value::F64(_) => 3,
        _ => 4,
    }
}

fn distribution<T: Copy + Into<NumberValue>>(point: &HistogramDataPoint<T>) -> Point {
    let extremes = point.min().zip(point.max());
    Point::Histogram(Distribution {
        boundaries: point.bounds().collect(),
        counts: point.bucket_counts().collect(),
        count: point.count(),
        sum: point.sum().into(),
        extremes: extremes.map(|(min, max)| [min, max].map(|end| end.into().as_f64())),
    })
}
