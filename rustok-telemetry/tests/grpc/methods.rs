//! Which calls are recorded, and by which names.

use http::uri::PathAndQuery;
use rustok_telemetry::{
    grpc::ServerLayer,
    testing::{self, Capture},
};
use tonic::{Code, Status, client::Grpc};
use tonic_prost::ProstCodec;

use super::service::{End, Instrumented, SECRET, SERVICE, connect, path, request, serve, within};

async fn send(client: &Instrumented, path: PathAndQuery, end: End) -> Result<String, Status> {
    let mut grpc = Grpc::new(client.clone());
    within(grpc.ready()).await.expect("a connection");
    let codec = ProstCodec::<String, String>::default();
    let call = request(format!("{end:?} {SECRET}"));
    let response = within(grpc.unary(call, path, codec)).await;
    response.map(|response| response.into_inner())
}

/// Service, method, code and value of each series.
fn handled(telemetry: &Capture, side: &str) -> Vec<(String, String, String, f64)> {
    let series = telemetry
        .metric(&format!("rustok_grpc_{side}_handled_total"))
        .series();
    let values = series.into_iter().map(|series| {
        let label = |name: &str| series.labels[name].clone();
        (
            label("service"),
            label("method"),
            label("code"),
            series.value,
        )
    });
    let mut values: Vec<_> = values.collect();
    values.sort_by(|one, other| one.partial_cmp(other).expect("numbers"));
    values
}

fn named(service: &str, method: &str, code: &str, value: f64) -> (String, String, String, f64) {
    (
        service.to_owned(),
        method.to_owned(),
        code.to_owned(),
        value,
    )
}

#[tokio::test]
async fn unknown_methods_share_one_series() {
    let telemetry = testing::capture();
    let client = connect(serve(ServerLayer::new()).await).await;
    for name in ["Unknown", "Unary/more", "0", "%20"] {
        for service in [SERVICE, "test.v1.Unknown"] {
            let error = send(&client, path(&format!("{service}/{name}")), End::Ok).await;
            assert_eq!(error.expect_err("unknown").code(), Code::Unimplemented);
        }
    }
    for side in ["server", "client"] {
        let expected = [named("_OTHER", "_OTHER", "UNIMPLEMENTED", 8.0)];
        assert_eq!(handled(&telemetry, side), expected, "{side}");
        let started = telemetry.metric(&format!("rustok_grpc_{side}_started_total"));
        started.with("method", "_OTHER").assert_value(8.0);
    }
    let spans = telemetry.spans_named("grpc");
    assert_eq!(spans.len(), 16);
    spans[0]
        .assert_error("UNIMPLEMENTED")
        .assert_attribute("rpc.method", "_OTHER");
    spans[0].assert_attribute("rpc.method_original", format!("{SERVICE}/Unknown"));
}

/// In a process of its own, because known methods are those of the process.
#[test_fork::fork]
#[test]
fn a_method_is_known_from_its_first_success_on() {
    let telemetry = testing::capture();
    telemetry.block_on(async {
        let client = connect(serve(ServerLayer::new()).await).await;
        let unary = path(&format!("{SERVICE}/Unary"));
        for end in [End::NotFound, End::Ok, End::NotFound] {
            let _ = send(&client, unary.clone(), end).await;
        }
    });
    for side in ["server", "client"] {
        let expected = [
            named("_OTHER", "_OTHER", "NOT_FOUND", 1.0),
            named(SERVICE, "Unary", "NOT_FOUND", 1.0),
            named(SERVICE, "Unary", "OK", 1.0),
        ];
        assert_eq!(handled(&telemetry, side), expected, "{side}");
        let started = telemetry.metric(&format!("rustok_grpc_{side}_started_total"));
        started.with("method", "Unary").assert_value(2.0);
    }
    let spans = telemetry.spans_named(&format!("{SERVICE}/Unary"));
    assert_eq!(spans.len(), 4);
    for span in &spans {
        span.assert_no_attribute("rpc.method_original");
    }
}

#[tokio::test]
async fn health_and_reflection_are_not_recorded() {
    let telemetry = testing::capture();
    let client = connect(serve(ServerLayer::new()).await).await;
    for method in [
        "grpc.health.v1.Health/Check",
        "grpc.health.v1.Health/Watch",
        "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ] {
        send(&client, path(method), End::Ok)
            .await
            .expect_err("unimplemented");
    }
    for side in ["server", "client"] {
        for name in ["started_total", "handled_total", "active_calls"] {
            telemetry
                .metric(&format!("rustok_grpc_{side}_{name}"))
                .assert_absent();
        }
    }
    assert_eq!(telemetry.spans().len(), 0);
}

#[tokio::test]
async fn excluded_services_replace_the_default() {
    let telemetry = testing::capture();
    let layer = ServerLayer::new().exclude_services([SERVICE]);
    let client = connect(serve(layer).await).await;
    send(&client, path(&format!("{SERVICE}/Unary")), End::Ok)
        .await
        .expect("a response");
    send(&client, path("grpc.health.v1.Health/Check"), End::Ok)
        .await
        .expect_err("unimplemented");
    let expected = [named("_OTHER", "_OTHER", "UNIMPLEMENTED", 1.0)];
    assert_eq!(handled(&telemetry, "server"), expected);
}
