//! Built-in metrics with a prefix of the service and without tenants.

use std::{collections::BTreeMap, time::Duration};

use axum::{Router, body::Body, http::Request, routing::get};
use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    metrics::v1::{Exemplar, metric::Data, number_data_point::Value},
};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter,
    data::{AggregatedMetrics, MetricData},
};
use rustok_telemetry::{
    Builder, InitError, Telemetry,
    http::TelemetryLayer,
    metrics::{self, catalogue},
};
use tower::ServiceExt;

use crate::{
    builder,
    receiver::Receiver,
    support::{assert_samples, in_a_process, samples, text},
};

#[rustok_telemetry::metrics(namespace = "own")]
mod declared {
    /// Orders of a tenant.
    #[counter(name = "orders_total")]
    pub(super) fn record_order(tenant_id: &str);
}

const PUBLISHED: &str = "shop_event_bus_published_total";
const CREATED: &str = "shop_spans_created_total";
const LONG: Duration = Duration::from_secs(20);

fn shop(receiver: &Receiver, variables: &[(&str, &str)]) -> Builder {
    let endpoint = receiver.plain();
    let mut all = vec![
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
        ("OTEL_METRIC_EXPORT_INTERVAL", "600000"),
    ];
    all.extend(variables);
    builder(&all).metric_prefix("shop").without_tenants()
}

/// Records with eight tenants of events, and with more tenants of spans than their budget.
fn record_all() {
    let long = "long".repeat(100);
    for tenant in [
        "acme",
        "acme",
        "globex",
        "",
        "none",
        "other",
        "a longer name of a tenant",
        &long,
    ] {
        metrics::record_event_published("OrderPlaced", tenant);
    }
    for number in 0..600 {
        metrics::record_span_created("orders.place", &format!("tenant {number}"));
    }
    metrics::record_event_lag("OrderPlaced", 0.02);
    metrics::update_queue_depth("in_memory", 3);
    metrics::record_cache_operation("products", "get", "hit");
    metrics::record_cache_operation("products", "get", "miss");
    metrics::record_module_error("orders", "timeout", "critical");
    declared::record_order("acme");
    declared::record_order("globex");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let app = Router::new()
            .route("/orders/{id}", get(async || "an order"))
            .layer(TelemetryLayer::new());
        let request = Request::get("/orders/7")
            .body(Body::empty())
            .expect("a request");
        let response = app.oneshot(request).await.expect("a response");
        axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .expect("a body");
    });
}

/// Records within a span, so that there are exemplars.
fn record(telemetry: &Telemetry) {
    tracing::info_span!("work", tenant_id = "acme").in_scope(record_all);
    tracing::info_span!("work").in_scope(|| ());
    let report = telemetry.force_flush(LONG);
    assert!(report.is_complete(), "{report}");
}

/// Asserts names, labels and sums of the Prometheus text.
#[track_caller]
fn assert_text() {
    let text = text();
    assert!(!text.contains("rustok_"), "{text}");
    let with_tenants = text.lines().filter(|line| line.contains("tenant_id"));
    // Its two series, and the folded values of its label.
    assert!(
        with_tenants
            .clone()
            .all(|line| line.contains("own_orders_total")),
        "{text}"
    );
    assert_eq!(with_tenants.count(), 3);
    assert_samples(&text, PUBLISHED, &[(r#"{event_type="OrderPlaced"}"#, "8")]);
    let created = samples(&text, CREATED);
    assert_eq!(created[r#"{operation="orders.place"}"#], "600");
    assert_eq!(created[r#"{operation="work"}"#], "2");
    let requests = r#"{method="GET",path="/orders/{id}",status="200"}"#;
    assert_samples(&text, "shop_http_requests_total", &[(requests, "1")]);
    assert_samples(
        &text,
        "shop_cache_hit_rate",
        &[(r#"{cache="products"}"#, "0.5")],
    );
    assert_samples(
        &text,
        "shop_event_bus_queue_depth",
        &[(r#"{transport="in_memory"}"#, "3")],
    );
    assert_eq!(samples(&text, "shop_module_error_rate").len(), 1);
    // The long tenant is not counted as folded.
    let folded = samples(&text, "shop_telemetry_label_values_folded_total");
    assert!(
        folded.keys().any(|labels| labels.contains(PUBLISHED)),
        "{folded:?}"
    );
    assert!(folded.values().all(|records| records == "0"), "{folded:?}");
    assert!(samples(&text, "process_threads").len() <= 1);
}

/// Sums, label names and exemplars of each metric that a receiver got.
type Points = BTreeMap<String, (i64, Vec<String>, Vec<Exemplar>)>;

fn points(receiver: &Receiver) -> Points {
    let requests = receiver.requests().into_iter();
    let metrics = requests.filter(|request| request.is_of("metrics"));
    let mut points = Points::new();
    for metric in metrics.flat_map(|request| request.metrics()) {
        let (sum, labels, exemplars) = points.entry(metric.name).or_default();
        let mut add = |value, attributes: Vec<KeyValue>, found: Vec<Exemplar>| {
            *sum += match value {
                Some(Value::AsInt(value)) => value,
                _ => 0,
            };
            labels.extend(attributes.into_iter().map(|attribute| attribute.key));
            exemplars.extend(found);
        };
        let numbers = match metric.data {
            Some(Data::Sum(sum)) => sum.data_points,
            Some(Data::Gauge(gauge)) => gauge.data_points,
            Some(Data::Histogram(histogram)) => {
                for point in histogram.data_points {
                    add(None, point.attributes, point.exemplars);
                }
                Vec::new()
            }
            _ => Vec::new(),
        };
        for point in numbers {
            add(point.value, point.attributes, point.exemplars);
        }
    }
    points
}

/// Asserts names, labels, sums and exemplars of what was exported.
#[track_caller]
fn assert_exported(receiver: &Receiver) {
    let points = points(receiver);
    for (name, (_, labels, _)) in &points {
        assert!(!name.starts_with("rustok"), "{name}");
        let has_tenant = labels.iter().any(|label| label == "tenant_id");
        assert_eq!(has_tenant, name == "own_orders_total", "{name}: {labels:?}");
    }
    for (name, sum) in [
        (PUBLISHED, 8),
        ("shop_http_requests_total", 1),
        ("own_orders_total", 2),
    ] {
        assert_eq!(points[name].0, sum, "{name}");
    }
    assert!(points[CREATED].0 >= 602, "{:?}", points[CREATED]);
    for name in [PUBLISHED, "shop_http_request_duration_seconds"] {
        let (_, _, exemplars) = &points[name];
        assert!(!exemplars.is_empty(), "{name}");
        assert!(
            exemplars
                .iter()
                .all(|exemplar| exemplar.trace_id.len() == 16),
            "{name}"
        );
    }
}

#[test_fork::test]
fn every_output_has_the_names_of_the_service() {
    let receiver = Receiver::start();
    let telemetry = shop(&receiver, &[]).init().expect("telemetry starts");
    record(&telemetry);
    assert_text();
    assert_exported(&receiver);
    let names = catalogue().into_iter();
    let names: Vec<_> = names
        .filter(|metric| metric.module.starts_with("rustok_telemetry::"))
        .collect();
    for metric in names {
        let name = metric.name;
        assert!(
            name.starts_with("shop_") || name.starts_with("process_"),
            "{name}"
        );
        assert!(
            metric.labels.iter().all(|label| label.name != "tenant_id"),
            "{name}"
        );
    }
    let health = rustok_telemetry::health();
    assert!(health.labels_folded.is_empty(), "{health:?}");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn delta_exports_have_the_names_of_the_service() {
    let receiver = Receiver::start();
    let delta = ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta");
    let telemetry = shop(&receiver, &[delta]).init().expect("telemetry starts");
    record(&telemetry);
    assert_text();
    assert_exported(&receiver);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn readers_of_the_service_have_its_names() {
    let receiver = Receiver::start();
    let exporter = InMemoryMetricExporter::default();
    let telemetry = shop(&receiver, &[])
        .with_metric_exporter(exporter.clone())
        .init();
    let telemetry = telemetry.expect("telemetry starts");
    record(&telemetry);
    assert_text();
    assert_exported(&receiver);
    let collected = exporter.get_finished_metrics().expect("metrics");
    let scopes = collected.iter().flat_map(|all| all.scope_metrics());
    let metrics = scopes.flat_map(|scope| scope.metrics());
    let mut published = Vec::new();
    for metric in metrics {
        assert!(!metric.name().starts_with("rustok"), "{}", metric.name());
        if let (PUBLISHED, AggregatedMetrics::U64(MetricData::Sum(sum))) =
            (metric.name(), metric.data())
        {
            published.extend(sum.data_points().map(|point| {
                let labels: Vec<_> = point
                    .attributes()
                    .map(|label| label.key.to_string())
                    .collect();
                (labels, point.value())
            }));
        }
    }
    assert_eq!(published, [(vec!["event_type".to_owned()], 8)]);
    let _ = telemetry.shutdown();
}

#[test]
fn standard_output_has_the_names_of_the_service() {
    let test = "names::standard_output_has_the_names_of_the_service";
    let (output, _) = in_a_process(test, &[], || {
        let telemetry = builder(&[
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "console"),
        ]);
        let telemetry = telemetry
            .metric_prefix("shop")
            .without_tenants()
            .init()
            .expect("telemetry starts");
        metrics::record_event_published("OrderPlaced", "acme");
        let _ = telemetry.shutdown();
    });
    assert!(output.contains(PUBLISHED), "{output}");
    assert!(
        !output.contains("rustok_event") && !output.contains("tenant_id"),
        "{output}"
    );
}

/// A prefix alone keeps the tenants, and no tenants keep the prefix.
#[test_fork::test]
fn a_prefix_keeps_the_tenants() {
    let quiet = [("OTEL_TRACES_EXPORTER", "none")];
    let telemetry = builder(&quiet)
        .metric_prefix("web_shop")
        .init()
        .expect("telemetry starts");
    metrics::record_event_published("OrderPlaced", "acme");
    let labels = r#"{event_type="OrderPlaced",tenant_id="acme"}"#;
    assert_samples(
        &text(),
        "web_shop_event_bus_published_total",
        &[(labels, "1")],
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn without_tenants_the_prefix_stays() {
    let quiet = [("OTEL_TRACES_EXPORTER", "none")];
    let telemetry = builder(&quiet)
        .without_tenants()
        .init()
        .expect("telemetry starts");
    metrics::record_event_published("OrderPlaced", "acme");
    let labels = r#"{event_type="OrderPlaced"}"#;
    assert_samples(
        &text(),
        "rustok_event_bus_published_total",
        &[(labels, "1")],
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn an_invalid_prefix_is_an_error_with_all_others() {
    let start = |prefix: &str, strict| {
        let config = rustok_telemetry::config::TelemetryConfig::from_vars_tolerant([
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "prometheus"),
            ("OTEL_PROPAGATORS", "pigeon"),
        ]);
        rustok_telemetry::builder()
            .config(config)
            .strict(strict)
            .metric_prefix(prefix)
            .init()
    };
    let error = start("9-Shop_", true).expect_err("two errors").to_string();
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines.len(), 3, "{error}");
    assert!(lines[1].starts_with("OTEL_PROPAGATORS=pigeon: "), "{error}");
    assert_eq!(
        lines[2],
        "Builder::metric_prefix=9-Shop_: it does not begin with a letter; it contains '-', 'S'; it ends in `_`, which \
         is added anyway. Allowed: lower-case words joined by single `_`, beginning with a letter, such as `web_shop`"
    );
    let telemetry = start("9-Shop_", false).expect("it is tolerated");
    metrics::update_queue_depth("in_memory", 3);
    assert_eq!(samples(&text(), "rustok_event_bus_queue_depth").len(), 1);
    let diagnostics = rustok_telemetry::health().diagnostics;
    assert!(
        diagnostics
            .iter()
            .any(|it| it.contains("Builder::metric_prefix")),
        "{diagnostics:?}"
    );
    let _ = telemetry.shutdown();
}

/// The prefix `own` with a metric of this test.
#[test_fork::test]
fn a_name_of_the_service_is_not_taken() {
    #[rustok_telemetry::metrics(namespace = "taken")]
    mod taken {
        /// Another meaning.
        #[counter(name = "event_bus_published_total")]
        pub(super) fn record_published();
    }
    let start = |prefix: &str| builder(&[]).metric_prefix(prefix).init();
    let Err(InitError::Catalogue(errors)) = start("taken") else {
        panic!("two metrics have a name");
    };
    assert_eq!(errors.len(), 1, "{errors:?}");
    let error = &errors[0];
    for part in [
        "metric taken_event_bus_published_total is declared more than once: ",
        "taken::record_published",
        "rustok_telemetry::metrics::catalog::event_bus::declared::record_event_published",
        "; the prefix is that of metric_prefix(\"taken\"): set another, or rename the metric",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let telemetry = start("shop").expect("telemetry starts");
    taken::record_published();
    let _ = telemetry.shutdown();
}
