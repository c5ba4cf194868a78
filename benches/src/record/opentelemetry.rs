//! The OpenTelemetry SDK: looked up by each record, with one reader and with two, and bound in advance.

use std::sync::{Arc, Weak};

use opentelemetry::{
    KeyValue,
    metrics::{BoundCounter, BoundGauge, BoundHistogram, Meter, MeterProvider},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    metrics::{
        Instrument, InstrumentKind, ManualReader, Pipeline, SdkMeterProvider, Stream, Temporality,
        data::{AggregatedMetrics, MetricData, ResourceMetrics},
        reader::MetricReader,
    },
};

use super::{Kind, Series, seconds};
use crate::{contender::Contender, declared::BOUNDARIES};

pub(super) fn contenders(kind: Kind, series: Series) -> Vec<Contender> {
    let [one_reader, two_readers] = match kind {
        Kind::Counter => [
            "OpenTelemetry, `add`, one reader",
            "OpenTelemetry, `add`, two readers",
        ],
        Kind::Gauge | Kind::Histogram => [
            "OpenTelemetry, `record`, one reader",
            "OpenTelemetry, `record`, two readers",
        ],
    };
    vec![
        looked_up(one_reader, kind, &Provider::new(1)),
        looked_up(two_readers, kind, &Provider::new(2)),
        bound(
            "OpenTelemetry, bound, handle known",
            kind,
            series,
            &Provider::new(1),
        ),
    ]
}

fn looked_up(name: &'static str, kind: Kind, provider: &Provider) -> Contender {
    let meter = provider.meter();
    let held = provider.held();
    match kind {
        Kind::Counter => {
            let counter = meter.u64_counter("counter").build();
            Contender::new(
                name,
                move |labels, _| counter.add(1, &attributes(labels)),
                held,
            )
        }
        Kind::Gauge => {
            let gauge = meter.i64_gauge("gauge").build();
            Contender::new(
                name,
                move |labels, set| gauge.record(set as i64, &attributes(labels)),
                held,
            )
        }
        Kind::Histogram => {
            let histogram = meter
                .f64_histogram("histogram")
                .with_boundaries(BOUNDARIES.to_vec())
                .build();
            Contender::new(
                name,
                move |labels, set| histogram.record(seconds(set), &attributes(labels)),
                held,
            )
        }
    }
}

fn bound(name: &'static str, kind: Kind, series: Series, provider: &Provider) -> Contender {
    let meter = provider.meter();
    let held = provider.held();
    let sets = series.sets();
    let sets = sets.iter().map(|(_, labels)| attributes(labels));
    match kind {
        Kind::Counter => {
            let counter = meter.u64_counter("counter").build();
            let bound: Arc<[BoundCounter<u64>]> = sets.map(|set| counter.bind(&set)).collect();
            Contender::new(name, move |_, set| bound[set].add(1), held)
        }
        Kind::Gauge => {
            let gauge = meter.i64_gauge("gauge").build();
            let bound: Arc<[BoundGauge<i64>]> = sets.map(|set| gauge.bind(&set)).collect();
            Contender::new(name, move |_, set| bound[set].record(set as i64), held)
        }
        Kind::Histogram => {
            let histogram = meter
                .f64_histogram("histogram")
                .with_boundaries(BOUNDARIES.to_vec())
                .build();
            let bound: Arc<[BoundHistogram<f64>]> = sets.map(|set| histogram.bind(&set)).collect();
            Contender::new(name, move |_, set| bound[set].record(seconds(set)), held)
        }
    }
}

fn attributes([event_type, tenant]: [&str; 2]) -> [KeyValue; 2] {
    [
        KeyValue::new("event_type", event_type.to_owned()),
        KeyValue::new("tenant_id", tenant.to_owned()),
    ]
}

/// A provider of its own, and the readers that can be asked what it holds.
pub(crate) struct Provider {
    provider: SdkMeterProvider,
    readers: Vec<Reader>,
}

impl Provider {
    pub(crate) fn new(readers: usize) -> Self {
        let readers: Vec<_> = (0..readers).map(|_| Reader::default()).collect();
        let unlimited = |_: &Instrument| {
            Stream::builder()
                .with_cardinality_limit(20_000)
                .build()
                .ok()
        };
        let mut builder = SdkMeterProvider::builder().with_view(unlimited);
        for reader in &readers {
            builder = builder.with_reader(reader.clone());
        }
        Self {
            provider: builder.build(),
            readers,
        }
    }

    pub(crate) fn meter(&self) -> Meter {
        self.provider.meter("benchmark")
    }

    /// What each reader holds; all must hold the same.
    fn held(&self) -> impl Fn() -> u64 + Sync + 'static {
        let (provider, readers) = (self.provider.clone(), self.readers.clone());
        move || {
            let _alive = &provider;
            let mut held: Vec<_> = readers.iter().map(Reader::held).collect();
            held.dedup();
            assert_eq!(held.len(), 1, "the readers differ: {held:?}");
            held[0]
        }
    }
}

/// A reader that is read by hand.
#[derive(Debug, Clone, Default)]
struct Reader(Arc<ManualReader>);

impl Reader {
    fn held(&self) -> u64 {
        let mut collected = ResourceMetrics::default();
        self.0.collect(&mut collected).expect("the provider runs");
        let metrics = collected.scope_metrics().flat_map(|scope| scope.metrics());
        let held = metrics.map(|metric| match metric.data() {
            AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                sum.data_points().map(|point| point.value()).sum()
            }
            AggregatedMetrics::I64(MetricData::Gauge(gauge)) => {
                gauge.data_points().map(|point| point.value() as u64).sum()
            }
            AggregatedMetrics::F64(MetricData::Histogram(all)) => {
                all.data_points().map(|point| point.count()).sum()
            }
            _ => 0_u64,
        });
        held.sum()
    }
}

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: std::time::Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}
