//! The Prometheus text is valid, whatever other meters record, and compressed on demand.
#![allow(
    clippy::disallowed_methods,
    reason = "the tests need other meters, created while telemetry runs"
)]

mod reference;
#[path = "../support/mod.rs"]
mod support;

use std::{
    collections::BTreeSet,
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
};

use opentelemetry::{KeyValue, global, metrics::MeterProvider};
use rustok_telemetry::{TextError, metrics, prometheus_text};
use support::{samples, text, text_only, valid_text::assert_valid};

#[rustok_telemetry::metrics(namespace = "own")]
mod own {
    /// Things that happened.
    #[counter(name = "things_total")]
    pub fn record_thing(kind: &str);

    /// Time that a thing took.
    #[histogram(name = "thing_seconds", unit = "s", boundaries = [0.5, 1.0])]
    pub fn record_thing_seconds(kind: &str, value: f64);
}

#[test_fork::test]
fn name_collisions_leave_the_text_valid() {
    let telemetry = text_only().init().expect("telemetry starts");
    own::record_thing("a");
    own::record_thing_seconds("a", 0.7);
    let (first, second) = (global::meter("alpha"), global::meter("beta"));
    let a = [KeyValue::new("kind", "a")];
    let b = [KeyValue::new("kind", "b")];

    // Names of the catalogue: another type, samples of a histogram, and the same type with other labels.
    second.f64_gauge("own.things_total").build().record(9.0, &a);
    second
        .u64_counter("own_thing_seconds_count")
        .build()
        .add(9, &a);
    let own_histogram = first.f64_histogram("own_things").build();
    own_histogram.record(1.0, &a);
    let further = second
        .u64_counter("own-things-total")
        .with_description("Other.")
        .build();
    further.add(5, &b);
    further.add(9, &a);

    // Scopes are ordered by name, not by creation.
    second.u64_counter("jobs.done").build().add(2, &a);
    second.u64_counter("jobs_done").build().add(3, &b);
    first
        .u64_counter("jobs/done")
        .with_description("Jobs.")
        .build()
        .add(1, &a);
    second.i64_gauge("jobs_open").build().record(2, &a);
    first.i64_up_down_counter("jobs_open").build().add(1, &a);
    second.u64_counter("jobs_state").build().add(1, &b);
    first.u64_gauge("jobs_state").build().record(7, &a);
    for meter in [&second, &global::meter("gamma")] {
        let histogram = meter.f64_histogram("jobs_time").build();
        histogram.record(1.0, &a);
    }
    first.u64_gauge("jobs_time_sum").build().record(7, &a);

    // Attributes that are invalid as labels, and attribute sets that become the same labels.
    let odd = first.u64_counter("odd").build();
    let names = ["__name__", "2xx", "a:b", "größe", ""];
    odd.add(1, &names.map(|name| KeyValue::new(name, "x")));
    odd.add(2, &[KeyValue::new("a.b", "y")]);
    odd.add(4, &[KeyValue::new("a_b", "y")]);
    let le = first
        .f64_histogram("odd_seconds")
        .with_boundaries(vec![1.0])
        .build();
    le.record(0.5, &[KeyValue::new("le", "5")]);
    let le = first.u64_gauge("odd_gauge").build();
    le.record(1, &[KeyValue::new("le", "5")]);
    first.u64_gauge("target.info").build().record(1, &a);

    for _ in 0..2 {
        let text = text();
        assert_valid(&text);
        let of = |name: &str| {
            let samples = samples(&text, name).into_iter();
            samples
                .map(|(labels, value)| format!("{labels} {value}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(of("own_things_total"), ["{kind=\"a\"} 1", "{kind=\"b\"} 5"]);
        assert!(text.contains("# HELP own_things_total Things that happened.\n"));
        assert_eq!(of("own_thing_seconds_count"), ["{kind=\"a\"} 1"]);
        assert_eq!(of("own_things_count"), ["{kind=\"a\"} 1"]);
        assert_eq!(of("jobs_done"), ["{kind=\"a\"} 1", "{kind=\"b\"} 3"]);
        assert!(text.contains("# HELP jobs_done Jobs.\n"));
        assert_eq!(of("jobs_open"), ["{kind=\"a\"} 1"]);
        assert_eq!(of("jobs_state"), ["{kind=\"a\"} 7"]);
        assert!(text.contains("# TYPE jobs_state gauge\n"));
        assert_eq!(of("jobs_time_sum"), ["{kind=\"a\"} 7"]);
        assert_eq!(of("jobs_time_count"), Vec::<String>::new());
        let odd = of("odd");
        let all = "{_=\"x\",_2xx=\"x\",a_b=\"x\",exported___name__=\"x\",gr__e=\"x\"} 1";
        assert_eq!(odd[0], all);
        assert!(odd[1] == "{a_b=\"y\"} 2" || odd[1] == "{a_b=\"y\"} 4");
        assert_eq!(odd.len(), 2);
        assert_eq!(of("odd_seconds_sum"), ["{exported_le=\"5\"} 0.5"]);
        assert_eq!(of("odd_gauge"), ["{le=\"5\"} 1"]);
        assert_eq!(of("target_info").len(), 2, "the resource and the gauge");
    }
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn series_stay_ordered_as_new_ones_are_added() {
    let telemetry = text_only().init().expect("telemetry starts");
    let mut expected = BTreeSet::new();
    for step in 0..5 {
        for kind in 0..20 {
            let kind = format!("kind-{}", (kind * 7 + step * 3) % 60);
            own::record_thing(&kind);
            own::record_thing_seconds(&kind, 2.0);
            expected.insert(kind);
        }
        let text = text();
        assert_valid(&text);
        for name in ["own_things_total{", "own_thing_seconds_sum{"] {
            let kinds = text.lines().filter(|line| line.starts_with(name));
            let kinds: Vec<_> = kinds.filter_map(|line| line.split('"').nth(1)).collect();
            assert!(kinds.iter().eq(&expected), "{kinds:?}");
        }
    }
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_panicking_callback_of_the_sdk_is_an_error() {
    let telemetry = text_only().init().expect("telemetry starts");
    // Of the global meter provider, it would be isolated.
    let provider = telemetry.meter_provider().expect("it runs");
    let meter = provider.meter("careless");
    let panics = meter.u64_observable_gauge("careless");
    panics.with_callback(|_| panic!("careless")).build();
    let first = catch_unwind(AssertUnwindSafe(prometheus_text));
    assert!(first.is_err(), "the panic reaches the caller");
    assert!(matches!(prometheus_text(), Err(TextError::Collect(_))));
    let _ = telemetry.shutdown();
    assert_eq!(prometheus_text(), Err(TextError::ShutDown));
}

fn unzip(body: &[u8]) -> String {
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(body);
    decoder.read_to_string(&mut text).expect("gzip");
    text
}

#[test_fork::test]
fn the_text_is_compressed_if_accepted() {
    let telemetry = text_only().init().expect("telemetry starts");
    for tenant in 0..300 {
        metrics::record_event_published("OrderPlaced", &format!("tenant-{tenant}"));
    }
    let text = prometheus_text().expect("telemetry runs");
    for refused in [
        "",
        "identity",
        "deflate, br, zstd",
        "gzip;q=0",
        "gzip;q=0.000",
        "gzip; q = 0",
        "*;q=0",
        "gzip;q=0, *",
        "*, gzip;q=0",
        "gzip;q=0.5, identity",
        "gzip;q=none",
        "gzip;q=NaN",
        "gzipped",
    ] {
        assert_eq!(text.clone().encoded_for(refused), text, "{refused}");
    }
    for accepted in [
        "gzip",
        "deflate, gzip;q=1.0, *;q=0.5",
        "GZIP ; Q=0.5",
        "x-gzip",
        "*",
        "br;q=1, *;q=0.1",
        "gzip, identity",
        "gzip;q=0.001",
        "identity;q=0.5, gzip;q=0.5",
    ] {
        let encoding = text.clone().encoded_for(accepted).content_encoding;
        assert_eq!(encoding, Some("gzip"), "{accepted}");
    }
    let zipped = text.clone().encoded_for("deflate, gzip");
    assert_eq!(zipped.content_encoding, Some("gzip"));
    assert_eq!(zipped.content_type, text.content_type);
    assert!(
        zipped.body.len() * 5 < text.body.len(),
        "{}",
        zipped.body.len()
    );
    assert_eq!(unzip(&zipped.body).as_bytes(), text.body);
    assert_eq!(zipped.clone().gzip(), zipped, "it is compressed once");
    let _ = telemetry.shutdown();
}

#[cfg(feature = "axum")]
#[tokio::test]
#[test_fork::fork]
async fn the_health_route_compresses_if_accepted() {
    use axum::{Router, body::Body, http::Request};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    let telemetry = text_only().init().expect("telemetry starts");
    metrics::record_event_published("OrderPlaced", "acme");
    let asked = [
        vec![],
        vec!["gzip"],
        vec!["br", "gzip"],
        vec!["gzip;q=0, *"],
        vec!["*"],
    ];
    for (accepted, zipped) in asked.into_iter().zip([false, true, true, false, true]) {
        let mut request = Request::get("/api/_health/metrics");
        for accepted in &accepted {
            request = request.header("accept-encoding", *accepted);
        }
        let app: Router = rustok_telemetry::http::health_routes();
        let request = request.body(Body::empty()).expect("a request");
        let response = app.oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), 200);
        let headers = response.headers().clone();
        assert_eq!(headers["content-type"], "text/plain; version=0.0.4");
        assert_eq!(headers["vary"], "Accept, Accept-Encoding");
        let encoding = headers
            .get("content-encoding")
            .map(|value| value.as_bytes());
        assert_eq!(encoding, zipped.then_some(&b"gzip"[..]), "{accepted:?}");
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        let text = match zipped {
            true => unzip(&body),
            false => String::from_utf8(body.into()).expect("text"),
        };
        assert_eq!(samples(&text, "rustok_event_bus_published_total").len(), 1);
    }
    let _ = telemetry.shutdown();
}
