//! The text of 10,000 counter series and 1,000 histograms of 12 buckets.

use std::{hint::black_box, time::Instant};

use metrics::{Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::PrometheusBuilder;
use opentelemetry::{KeyValue, metrics::MeterProvider};
use opentelemetry_sdk::metrics::{Instrument, SdkMeterProvider, Stream};
use prometheus::{Encoder, IntCounterVec, Opts, Registry, TextEncoder};
use prometheus_client::{
    encoding::text::encode, metrics::counter::Counter, metrics::family::Family, registry,
};

use crate::{
    declared::{self, BOUNDARIES, held, metrics as own, sum_in_text},
    label_sets::LabelSets,
    record::{prometheus::histogram, prometheus_client::histograms},
    rounds::{Effort, median},
    table::{Table, with_ratio},
};

/// Writes the text, as often as asked.
struct Renderer {
    name: &'static str,
    write: Box<dyn Fn() -> Vec<u8>>,
    /// Names of the counter and of the histogram's count in the text.
    samples: [&'static str; 2],
}

/// Measures all renderers, and prints a table.
pub(crate) fn report(effort: Effort) {
    let counters = LabelSets::new([100, 100]);
    let histograms = LabelSets::new([25, 40]);
    let renderers = [
        rustok(&counters, &histograms),
        opentelemetry(&counters, &histograms),
        prometheus(&counters, &histograms),
        prometheus_client(&counters, &histograms),
        metrics_rs(&counters, &histograms),
    ];
    let mut times = renderers.each_ref().map(|_| Vec::new());
    for _ in 0..effort.rounds {
        for (times, renderer) in times.iter_mut().zip(&renderers) {
            let started = Instant::now();
            black_box((renderer.write)());
            times.push(started.elapsed());
        }
    }
    let milliseconds = times.map(|mut times| median(&mut times).as_secs_f64() * 1e3);
    let mut table = Table::new(
        "Text of 10,000 counter series and 1,000 histograms of 12 buckets: ms (times the first row)",
        renderers.iter().map(|renderer| renderer.name).collect(),
    );
    table.column(
        "time",
        milliseconds
            .map(|time| with_ratio(time, milliseconds[0]))
            .into(),
    );
    let allocations = |renderer: &Renderer| {
        let write = || drop(black_box((renderer.write)()));
        allocation_counter::measure(write).count_total.to_string()
    };
    table.column("allocations", renderers.iter().map(allocations).collect());
    for renderer in &renderers {
        let text = String::from_utf8((renderer.write)()).expect("text");
        for (sample, expected) in renderer
            .samples
            .iter()
            .zip([counters.len(), histograms.len()])
        {
            assert_eq!(
                sum_in_text(&text, sample),
                expected as u64,
                "{}",
                renderer.name
            );
        }
    }
    table.print();
}

fn rustok(counters: &LabelSets, histograms: &LabelSets) -> Renderer {
    let samples = [
        "bench_record_written_total",
        "bench_record_written_seconds_count",
    ];
    counters
        .iter()
        .for_each(|(_, [event_type, tenant])| own::count_written(event_type, tenant));
    histograms
        .iter()
        .for_each(|(_, [event_type, tenant])| own::time_written(event_type, tenant, 0.02));
    declared::expect("bench_record_written_total", held(samples[0]));
    declared::expect("bench_record_written_seconds", held(samples[1]));
    let write = || {
        rustok_telemetry::prometheus_text()
            .expect("telemetry runs")
            .body
    };
    Renderer {
        name: "**rustok-telemetry**",
        write: Box::new(write),
        samples,
    }
}

fn opentelemetry(counters: &LabelSets, histograms: &LabelSets) -> Renderer {
    let registry = Registry::new();
    let reader = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .without_counter_suffixes()
        .without_units()
        .scope_info_enabled(false)
        .build()
        .expect("a reader");
    let unlimited = |_: &Instrument| {
        Stream::builder()
            .with_cardinality_limit(20_000)
            .build()
            .ok()
    };
    let provider = SdkMeterProvider::builder()
        .with_view(unlimited)
        .with_reader(reader)
        .build();
    let meter = provider.meter("benchmark");
    let attributes = |[event_type, tenant]: [&str; 2]| {
        [
            KeyValue::new("event_type", event_type.to_owned()),
            KeyValue::new("tenant_id", tenant.to_owned()),
        ]
    };
    let counter = meter.u64_counter("counter").build();
    counters
        .iter()
        .for_each(|(_, labels)| counter.add(1, &attributes(labels)));
    let histogram = meter
        .f64_histogram("histogram")
        .with_boundaries(BOUNDARIES.to_vec())
        .build();
    histograms
        .iter()
        .for_each(|(_, labels)| histogram.record(0.02, &attributes(labels)));
    let write = move || {
        let _alive = &provider;
        text_of(&registry)
    };
    Renderer {
        name: "opentelemetry-prometheus, `TextEncoder`",
        write: Box::new(write),
        samples: ["counter", "histogram_count"],
    }
}

fn prometheus(counters: &LabelSets, histograms: &LabelSets) -> Renderer {
    let registry = Registry::new();
    let counter = IntCounterVec::new(Opts::new("counter", "help"), &["event_type", "tenant_id"])
        .expect("valid");
    counters
        .iter()
        .for_each(|(_, labels)| counter.with_label_values(&labels).inc());
    let times = histogram();
    histograms
        .iter()
        .for_each(|(_, labels)| times.with_label_values(&labels).observe(0.02));
    registry.register(Box::new(counter)).expect("new");
    registry.register(Box::new(times)).expect("new");
    Renderer {
        name: "prometheus, `TextEncoder`",
        write: Box::new(move || text_of(&registry)),
        samples: ["counter", "histogram_count"],
    }
}

fn text_of(registry: &Registry) -> Vec<u8> {
    let mut text = Vec::new();
    TextEncoder::new()
        .encode(&registry.gather(), &mut text)
        .expect("the text is written");
    text
}

fn prometheus_client(counters: &LabelSets, sets: &LabelSets) -> Renderer {
    let counter = Family::<crate::record::prometheus_client::Labels, Counter>::default();
    counters.iter().for_each(|(_, labels)| {
        counter.get_or_create(&labels.into()).inc();
    });
    let times = histograms();
    sets.iter()
        .for_each(|(_, labels)| times.get_or_create(&labels.into()).observe(0.02));
    let mut registry = registry::Registry::default();
    registry.register("counter", "help", counter);
    registry.register("histogram", "help", times);
    let write = move || {
        let mut text = String::new();
        encode(&mut text, &registry).expect("the text is written");
        text.into_bytes()
    };
    Renderer {
        name: "prometheus-client",
        write: Box::new(write),
        samples: ["counter_total", "histogram_count"],
    }
}

fn metrics_rs(counters: &LabelSets, histograms: &LabelSets) -> Renderer {
    let recorder = PrometheusBuilder::new()
        .set_buckets(BOUNDARIES)
        .expect("boundaries")
        .build_recorder();
    let metadata = Metadata::new("benchmark", Level::INFO, None);
    let key = |name: &'static str, [event_type, tenant]: [&str; 2]| {
        let label = |key: &'static str, value: &str| Label::new(key, value.to_owned());
        Key::from_parts(
            name,
            vec![label("event_type", event_type), label("tenant_id", tenant)],
        )
    };
    for (_, labels) in counters.iter() {
        recorder
            .register_counter(&key("counter", labels), &metadata)
            .increment(1);
    }
    for (_, labels) in histograms.iter() {
        recorder
            .register_histogram(&key("histogram", labels), &metadata)
            .record(0.02);
    }
    let handle = recorder.handle();
    let write = move || {
        let _alive = &recorder;
        handle.render().into_bytes()
    };
    Renderer {
        name: "metrics-exporter-prometheus",
        write: Box::new(write),
        samples: ["counter", "histogram_count"],
    }
}
