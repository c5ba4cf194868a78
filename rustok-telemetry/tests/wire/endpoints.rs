//! Endpoint, protocol, headers, resource and sampling.

use http::Version;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use crate::{
    receiver::{Behaviour, Receiver},
    start,
};

const ALL: [(&str, &str); 2] = [
    ("OTEL_METRICS_EXPORTER", "otlp"),
    ("OTEL_LOGS_EXPORTER", "otlp"),
];

fn work() {
    let _span = tracing::info_span!("work").entered();
    tracing::info!("done");
}

#[test_fork::test]
fn by_http_each_signal_has_its_path_below_the_general_endpoint() {
    let receiver = Receiver::start();
    let endpoint = format!("{}/base/", receiver.plain());
    let [metrics, logs] = ALL;
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str());
    let telemetry = start(&[metrics, logs, endpoint]);
    work();
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    for (signal, path) in [
        ("trace", "/base/v1/traces"),
        ("metrics", "/base/v1/metrics"),
        ("logs", "/base/v1/logs"),
    ] {
        let request = receiver.only(signal);
        assert_eq!(request.path, path);
        assert_eq!(request.version, Version::HTTP_11);
        assert_eq!(request.header("content-type"), "application/x-protobuf");
        assert_eq!(request.compression, None);
        assert!(
            request
                .header("user-agent")
                .starts_with("OTel-OTLP-Exporter-Rust/")
        );
    }
}

#[test_fork::test]
fn by_grpc_each_signal_has_its_service() {
    let receiver = Receiver::start();
    let [metrics, logs] = ALL;
    let telemetry = start(&[
        metrics,
        logs,
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%2Cb"),
        ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "tenant=web"),
    ]);
    work();
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    for (signal, service, key, tenant) in [
        ("trace", "trace.v1.TraceService", "a,b", ""),
        ("metrics", "metrics.v1.MetricsService", "a,b", ""),
        ("logs", "logs.v1.LogsService", "", "web"),
    ] {
        let request = receiver.only(signal);
        let path = format!("/opentelemetry.proto.collector.{service}/Export");
        assert_eq!(request.path, path);
        assert_eq!(request.version, Version::HTTP_2);
        assert_eq!(request.header("api-key"), key);
        assert_eq!(request.header("tenant"), tenant);
    }
}

#[test_fork::test]
fn a_signals_own_variables_win() {
    let (general, own) = (Receiver::start(), Receiver::start());
    let telemetry = start(&[
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &general.plain()),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &own.plain()),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=1"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=2"),
    ]);
    work();
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    let [request] = &own.requests()[..] else {
        panic!("one request");
    };
    assert_eq!(request.path, "/", "used as it is");
    assert_eq!((request.header("a"), request.header("b")), ("", "2"));
    let metrics = general.only("metrics");
    assert_eq!(metrics.version, Version::HTTP_2);
    assert_eq!((metrics.header("a"), metrics.header("b")), ("1", ""));
}

#[test_fork::test]
fn the_resource_is_decoded_and_the_name_wins() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=other,team=caf%C3%A9%2C%20bar",
        ),
        ("OTEL_SERVICE_NAME", "desk"),
    ]);
    work();
    let _ = telemetry.shutdown();
    let resource = receiver.only("trace").resource();
    let text = |key: &str| {
        let attribute = resource
            .attributes
            .iter()
            .find(|attribute| attribute.key == key);
        match attribute?.value.clone()?.value? {
            Value::StringValue(text) => Some(text),
            _ => None,
        }
    };
    assert_eq!(text("service.name").as_deref(), Some("desk"));
    assert_eq!(text("team").as_deref(), Some("café, bar"));
    assert!(text("service.instance.id").is_some());
}

/// Of 4000 traces, a quarter is sampled: 1000, and 27 is the deviation.
#[test_fork::test]
fn the_sampler_and_its_ratio_decide_how_many_spans_leave() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_TRACES_SAMPLER", "TraceIdRatio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "5000"),
    ]);
    for _ in 0..4000 {
        drop(tracing::info_span!("work"));
    }
    let _ = telemetry.shutdown();
    let sampled = receiver.spans().len();
    assert!((840..1160).contains(&sampled), "{sampled}");
}

#[test_fork::test]
fn always_off_in_capitals_sends_nothing() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_TRACES_SAMPLER", "ALWAYS_OFF"),
    ]);
    work();
    assert!(telemetry.shutdown().is_complete());
    assert!(receiver.requests().is_empty());
}

#[test_fork::test]
fn switched_off_or_without_exporters_nothing_is_sent() {
    let receiver = Receiver::start();
    let [metrics, logs] = ALL;
    let endpoint = receiver.plain();
    let telemetry = start(&[
        metrics,
        logs,
        ("OTEL_SDK_DISABLED", "True"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
    ]);
    work();
    assert!(telemetry.shutdown().is_complete());
    assert!(receiver.requests().is_empty());
}

#[test_fork::test]
fn exporters_called_none_send_nothing() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
    ]);
    work();
    assert!(telemetry.shutdown().is_complete());
    assert!(receiver.requests().is_empty());
}

/// A redirect could lead the headers elsewhere, or into clear text.
#[test_fork::test]
fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::start();
    let receiver = Receiver::with(Behaviour {
        redirect: Some(elsewhere.plain()),
        ..Behaviour::default()
    });
    let telemetry = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain())]);
    work();
    let report = telemetry.shutdown();
    assert_eq!(report.lost_spans, 1, "{report}");
    let error = report.traces_error.expect("a reason");
    assert!(error.contains("307"), "{error}");
    assert!(elsewhere.requests().is_empty());
}
