//! The spans that exporting itself causes are neither counted nor exported, at the most verbose level either.

mod support;

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use rustok_telemetry::{config::TelemetryConfig, trace::is_exporter_target};
use support::{samples, text};
use tracing::{Level, Subscriber, span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Remembers the targets of all spans, so that the test knows that there was something to keep out.
#[derive(Clone, Default)]
struct Targets(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Targets {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let target = attributes.metadata().target().to_owned();
        self.0.lock().expect("no panic").push(target);
    }
}

#[test_fork::test]
fn exporting_does_not_observe_itself() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    let config = TelemetryConfig::from_vars([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "50"),
    ])
    .expect("a valid configuration");
    let telemetry = rustok_telemetry::builder()
        .config(config)
        .span_level(Level::TRACE)
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    let targets = Targets::default();
    let subscriber = tracing_subscriber::registry()
        .with(telemetry.layer())
        .with(targets.clone());
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");

    drop(tracing::info_span!("work"));
    std::thread::sleep(Duration::from_secs(1));

    let seen = targets.0.lock().expect("no panic").clone();
    let of_machinery = seen
        .iter()
        .filter(|target| is_exporter_target(target))
        .count();
    assert!(of_machinery > 0, "the exporters made no spans: {seen:?}");
    let created = samples(&text(), "rustok_spans_created_total");
    let created: Vec<_> = created.keys().map(String::as_str).collect();
    assert_eq!(created, ["{operation=\"work\",tenant_id=\"none\"}"]);
    let report = telemetry.shutdown_within(Duration::from_secs(1));
    assert_eq!(report.lost_spans + report.unsent_spans, 1, "{report}");
}
