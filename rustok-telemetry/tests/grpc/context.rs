//! The caller's trace and tenant.

use http::{Request, Response};
use opentelemetry::trace::SpanKind;
use rustok_telemetry::{
    grpc::{ClientLayer, ServerLayer},
    tenant,
    testing::{self, Capture, CapturedSpan},
};
use tonic::{Status, body::Body, client::Grpc};
use tonic_prost::ProstCodec;
use tower::{Layer, Service};
use tracing::Instrument;

use super::service::{endpoint, path, request, serve, within};

/// Calls an unknown method within a span of the tenant `acme`; the layers do the same for every method.
async fn call_as_acme(server: ServerLayer, client: ClientLayer) {
    let address = serve(server).await;
    let channel = within(endpoint(address).connect())
        .await
        .expect("a connection");
    let mut grpc = Grpc::new(client.layer(channel));
    let span = tracing::info_span!("caller", tenant_id = tracing::field::Empty);
    async {
        tenant::set("acme");
        within(grpc.ready()).await.expect("a connection");
        let codec = ProstCodec::<String, String>::default();
        let call = grpc.unary(request(String::new()), path("test.v1.Context/Call"), codec);
        within(call).await.expect_err("unimplemented");
    }
    .instrument(span)
    .await;
}

fn span(telemetry: &Capture, kind: SpanKind) -> CapturedSpan {
    let mut spans = telemetry.spans_named("grpc").into_iter();
    spans.find(|span| span.kind() == kind).expect("a span")
}

#[tokio::test]
async fn caller_client_and_server_are_one_trace() {
    let telemetry = testing::capture();
    call_as_acme(ServerLayer::new(), ClientLayer::new()).await;
    let client = span(&telemetry, SpanKind::Client);
    let server = span(&telemetry, SpanKind::Server);
    client.assert_child_of(&telemetry.span("caller"));
    server.assert_child_of(&client);
    assert_eq!(server.trace_id(), telemetry.span("caller").trace_id());
}

#[tokio::test]
async fn a_public_edge_begins_a_trace_with_a_link() {
    let telemetry = testing::capture();
    call_as_acme(ServerLayer::new().public_edge(), ClientLayer::new()).await;
    let client = span(&telemetry, SpanKind::Client);
    let server = span(&telemetry, SpanKind::Server);
    assert_ne!(server.trace_id(), client.trace_id());
    assert_eq!(server.links(), [(client.trace_id(), client.span_id())]);
}

#[tokio::test]
async fn a_tenant_is_sent_and_accepted_only_by_choice() {
    for (sends, accepts, is_public) in [
        (false, false, false),
        (true, false, false),
        (false, true, false),
        (true, true, false),
        (true, true, true),
    ] {
        let telemetry = testing::capture();
        let mut server = ServerLayer::new();
        if is_public {
            server = server.public_edge();
        }
        if accepts {
            server = server.tenant_from_baggage();
        }
        let client = match sends {
            true => ClientLayer::new().send_tenant(),
            false => ClientLayer::new(),
        };
        call_as_acme(server, client).await;
        let server = span(&telemetry, SpanKind::Server);
        match sends && accepts && !is_public {
            true => server.assert_attribute("tenant_id", "acme"),
            false => server.assert_no_attribute("tenant_id"),
        };
    }
}

/// A service behind the client's layer that does not respond as gRPC does.
#[derive(Clone)]
struct Broken(Respond);

type Respond = fn() -> Result<Response<Body>, Status>;

impl Service<Request<Body>> for Broken {
    type Response = Response<Body>;
    type Error = Status;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Status>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let respond = self.0;
        Box::pin(async move { respond() })
    }
}

/// What a client records when there is no gRPC response.
#[tokio::test]
async fn a_call_without_a_response_has_a_code() {
    let cases: [(Respond, &str); 5] = [
        (|| Err(Status::unavailable("hunter2")), "UNAVAILABLE"),
        (|| Ok(Response::new(Body::empty())), "UNKNOWN"),
        (|| Ok(with_status(503)), "UNAVAILABLE"),
        (|| Ok(with_status(404)), "UNIMPLEMENTED"),
        (|| panic!("on purpose"), "panic"),
    ];
    for (respond, code) in cases {
        let telemetry = testing::capture();
        let service = ClientLayer::new().layer(Broken(respond));
        let call = tokio::spawn(async move {
            let mut grpc = Grpc::new(service);
            let codec = ProstCodec::<String, String>::default();
            grpc.unary(request(String::new()), path("test.v1.Broken/Call"), codec)
                .await
        });
        assert!(!matches!(call.await, Ok(Ok(_))), "{code}");
        telemetry
            .metric("rustok_grpc_client_handled_total")
            .with("code", code)
            .assert_value(1.0);
        telemetry
            .metric("rustok_grpc_client_active_calls")
            .assert_value(0.0);
        telemetry.spans()[0].assert_error(code);
        telemetry.assert_nowhere("hunter2");
    }
}

fn with_status(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status.try_into().expect("a status");
    response
}

/// A connection that is refused.
#[tokio::test]
async fn an_unreachable_server_is_unavailable() {
    let telemetry = testing::capture();
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address")
    };
    let endpoint = endpoint(address);
    let layer = ClientLayer::new().server(endpoint.uri());
    let mut grpc = Grpc::new(layer.layer(endpoint.connect_lazy()));
    within(grpc.ready()).await.expect("a lazy connection");
    let codec = ProstCodec::<String, String>::default();
    let call = grpc.unary(request(String::new()), path("test.v1.Nowhere/Call"), codec);
    let error = within(call).await.expect_err("unreachable");
    assert_eq!(error.code(), tonic::Code::Unavailable);
    let span = &telemetry.spans()[0];
    span.assert_error("UNAVAILABLE");
    span.assert_attribute("server.address", "127.0.0.1");
    span.assert_attribute("server.port", i64::from(address.port()));
}
