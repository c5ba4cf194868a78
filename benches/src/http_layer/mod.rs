//! What layers for HTTP servers cost: a service that answers at once is called directly, without sockets, by requests of a
//! sampled trace.

pub(crate) mod four;

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use opentelemetry::global;
use opentelemetry_instrumentation_tower::http::{extractors::FnRouteExtractor, server};
use opentelemetry_sdk::{metrics::SdkMeterProvider, propagation::TraceContextPropagator};
use rustok_telemetry::http::{RouteTemplate, TelemetryLayer};
use tower_layer::Layer;
use tower_service::Service;
use tracing_subscriber::layer::SubscriberExt;

use crate::{
    declared::held,
    isolated::Work,
    span_layer::{opentelemetry::Provider, rustok as spans_of_rustok},
};

pub(crate) fn bare() -> Work {
    let service = Answers::default();
    let served = Arc::clone(&service.served);
    Work {
        act: calls(service),
        arrived: None,
        check: Box::new(move |requests| assert_served(&served, requests)),
    }
}

/// Without a subscriber there are no spans: what is left is the layer's own part.
pub(crate) fn rustok_metrics() -> Work {
    let telemetry = spans_of_rustok::start(&[("OTEL_TRACES_EXPORTER", "none")]);
    let service = Answers::default();
    let served = Arc::clone(&service.served);
    Work {
        act: calls(TelemetryLayer::new().layer(service)),
        arrived: None,
        check: Box::new(move |requests| {
            let _runs = &telemetry;
            assert_served(&served, requests);
            assert_counted(requests);
        }),
    }
}

pub(crate) fn rustok(sampled: bool) -> Work {
    let sampler = if sampled { "always_on" } else { "always_off" };
    let spans = spans_of_rustok::everything_with(sampled, sampler);
    let service = Answers::default();
    let served = Arc::clone(&service.served);
    Work {
        act: calls(TelemetryLayer::new().layer(service)),
        arrived: spans.arrived,
        check: Box::new(move |requests| {
            assert_served(&served, requests);
            assert_counted(requests);
            (spans.check)(requests);
        }),
    }
}

pub(crate) fn tower_http() -> Work {
    use opentelemetry::trace::TracerProvider;
    use tower_http::trace::{DefaultMakeSpan, TraceLayer};

    let provider = Provider::new(true);
    let traces = tracing_opentelemetry::layer().with_tracer(provider.provider.tracer("benchmark"));
    let subscriber = tracing_subscriber::registry().with(traces);
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    // Its span is of the level DEBUG unless told otherwise; that it neither reads nor writes headers is its own affair.
    let layer = TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(tracing::Level::INFO))
        .on_request(())
        .on_response(());
    provider.work_of(calls(layer.layer(Answers::default())))
}

pub(crate) fn opentelemetry() -> Work {
    let provider = Provider::new(true);
    global::set_tracer_provider(provider.provider.clone());
    global::set_text_map_propagator(TraceContextPropagator::new());
    let reader = opentelemetry_sdk::metrics::ManualReader::builder().build();
    let metrics = SdkMeterProvider::builder().with_reader(reader).build();
    global::set_meter_provider(metrics);
    let route = |_: &Request<Full<Bytes>>| Some(ROUTE.to_owned());
    let layer = server::LayerBuilder::builder()
        .with_route_extractor(FnRouteExtractor::new(route))
        .build()
        .expect("a layer");
    provider.work_of(calls(layer.layer(Answers::default())))
}

fn assert_served(served: &AtomicU64, requests: u64) {
    assert_eq!(served.load(Ordering::Relaxed), requests, "served");
}

/// Every request is counted, and every one has a duration.
fn assert_counted(requests: u64) {
    assert_eq!(held("rustok_http_requests_total"), requests, "counted");
    let timed = held("rustok_http_request_duration_seconds_count");
    assert_eq!(timed, requests, "timed");
}

const ROUTE: &str = "/api/products/{id}";

/// Does some work for every request, counts it and answers.
#[derive(Debug, Clone)]
struct Answers {
    work: fn(),
    served: Arc<AtomicU64>,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            work: || {},
            served: Arc::default(),
        }
    }
}

impl<B> Service<Request<B>> for Answers {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        (self.work)();
        self.served.fetch_add(1, Ordering::Relaxed);
        ready(Ok(Response::new(Full::from("answer"))))
    }
}

/// Calls a service, and reads the whole response.
fn calls<S, B>(service: S) -> Box<dyn Fn(usize)>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + 'static,
    B: Body,
{
    Box::new(move |count| {
        let mut service = service.clone();
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..count {
            let mut answer = pin!(service.call(request()));
            let Poll::Ready(Ok(response)) = answer.as_mut().poll(&mut context) else {
                panic!("it answers at once");
            };
            let mut body = pin!(response.into_body());
            while let Poll::Ready(Some(_)) = Pin::as_mut(&mut body).poll_frame(&mut context) {}
        }
    })
}

/// What a server would have made of a caller's request, and a router of its path.
fn request() -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::default());
    *request.uri_mut() = http::Uri::from_static("/api/products/17");
    request.headers_mut().insert(
        "traceparent",
        http::HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    );
    let route = RouteTemplate(ROUTE.into());
    request.extensions_mut().insert(route);
    request
}
