//! The SDK: its span metrics alone, and its whole set-up in front of a Collector.

use rustok_telemetry::{Telemetry, config::TelemetryConfig};
use tracing_subscriber::layer::SubscriberExt;

use super::tracing_spans;
use crate::{
    collector::Collector,
    declared::held,
    isolated::{FLUSH, Work, burst},
};

pub(crate) fn span_metrics() -> Work {
    let telemetry = start(&[("OTEL_TRACES_EXPORTER", "none")]);
    let subscriber = tracing_subscriber::registry().with(telemetry.span_metrics_layer());
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    Work {
        act: Box::new(tracing_spans),
        arrived: None,
        check: Box::new(move |spans| {
            let _runs = &telemetry;
            assert_counted(spans);
        }),
    }
}

pub(crate) fn everything(sampled: bool) -> Work {
    let sampler = if sampled {
        "parentbased_always_on"
    } else {
        "parentbased_always_off"
    };
    let Work {
        act,
        arrived,
        check,
    } = everything_with(sampled, sampler);
    let check = Box::new(move |made| {
        assert_counted(made);
        check(made);
    });
    Work {
        act,
        arrived,
        check,
    }
}

/// The whole set-up, and a check of what was exported.
pub(crate) fn everything_with(sampled: bool, sampler: &str) -> Work {
    let collector = Collector::start();
    let (endpoint, burst, queue, flush) = (
        collector.endpoint(),
        burst().to_string(),
        (2 * burst()).to_string(),
        FLUSH.as_millis().to_string(),
    );
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_TRACES_SAMPLER", sampler),
        ("OTEL_BSP_MAX_QUEUE_SIZE", &queue),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", &burst),
        ("OTEL_BSP_SCHEDULE_DELAY", &flush),
    ]);
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    let spans = collector.spans();
    let arrived = spans.clone();
    let telemetry = std::cell::Cell::new(Some(telemetry));
    Work {
        act: Box::new(tracing_spans),
        arrived: sampled.then(|| Box::new(move || arrived.count()) as Box<dyn Fn() -> u64>),
        check: Box::new(move |made| {
            let report = telemetry.take().expect("checked once").shutdown();
            assert!(report.is_complete(), "{report}");
            assert_eq!(spans.count(), if sampled { made } else { 0 }, "exported");
        }),
    }
}

/// Every span is counted, whether it is sampled or not.
fn assert_counted(spans: u64) {
    assert_eq!(held("rustok_spans_created_total"), spans, "created");
    assert_eq!(held("rustok_span_duration_seconds_count"), spans, "closed");
}

pub(crate) fn start(variables: &[(&str, &str)]) -> Telemetry {
    let common = [
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_SERVICE_NAME", "benchmarks"),
    ];
    let config = TelemetryConfig::from_vars(variables.iter().chain(&common).copied());
    rustok_telemetry::builder()
        .config(config.expect("a valid configuration"))
        .without_subscriber()
        .init()
        .expect("telemetry starts")
}
