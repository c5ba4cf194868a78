//! A request whose handler has three spans, one within the other, so that a trace has four.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use opentelemetry::global;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use rustok_telemetry::http::TelemetryLayer;
use tower_layer::Layer;
use tower_service::Service;

use super::calls;
use crate::{
    isolated::Work,
    span_layer::{rustok as spans_of_rustok, tracing_opentelemetry},
};

/// Spans of a request.
pub(crate) const SPANS: usize = 4;

pub(crate) fn bare() -> Work {
    Work {
        act: requests(Handler),
        arrived: None,
        check: Box::new(|_| {}),
    }
}

pub(crate) fn rustok(sampled: bool) -> Work {
    let sampler = if sampled { "always_on" } else { "always_off" };
    let spans = spans_of_rustok::everything_with(sampled, sampler);
    spans.by(requests(TelemetryLayer::new().layer(Handler)))
}

pub(crate) fn axum_tracing(sampled: bool) -> Work {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let spans = tracing_opentelemetry::spans(sampled);
    spans.by(requests(OtelAxumLayer::default().layer(Handler)))
}

/// Calls a service until there are so many spans.
fn requests<S, B>(service: S) -> Box<dyn Fn(usize)>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + 'static,
    B: Body,
{
    let call = calls(service);
    Box::new(move |spans| call(spans / SPANS))
}

/// Answers every request.
#[derive(Debug, Clone)]
struct Handler;

impl<B> Service<Request<B>> for Handler {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let _tenant = tracing::info_span!("tenants.find", tenant_id = "acme").entered();
        let _product = tracing::info_span!("catalogue.get", product = "17").entered();
        let _query = tracing::info_span!("SELECT products", db.system.name = "sqlite").entered();
        ready(Ok(Response::new(Full::from("answer"))))
    }
}
