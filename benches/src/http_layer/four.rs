//! A request whose handler has three spans, one within the other, so that a trace has four.

use std::sync::Arc;

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

use super::{Answers, assert_served, calls};
use crate::{
    isolated::Work,
    span_layer::{rustok as spans_of_rustok, tracing_opentelemetry},
};

/// Spans of a request.
pub(crate) const SPANS: usize = 4;

pub(crate) fn bare() -> Work {
    let nothing = Work {
        act: Box::new(|_| {}),
        arrived: None,
        check: Box::new(|_| {}),
    };
    requests(nothing, |service| service)
}

pub(crate) fn rustok(sampled: bool) -> Work {
    let sampler = if sampled { "always_on" } else { "always_off" };
    let spans = spans_of_rustok::everything_with(sampled, sampler);
    requests(spans, |service| TelemetryLayer::new().layer(service))
}

pub(crate) fn axum_tracing(sampled: bool) -> Work {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let spans = tracing_opentelemetry::spans(sampled);
    requests(spans, |service| OtelAxumLayer::default().layer(service))
}

/// Makes the spans by requests, and also checks that each request is served.
fn requests<S, B>(work: Work, layered: impl FnOnce(Answers) -> S) -> Work
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + 'static,
    B: Body,
{
    let answers = Answers {
        work: spans_of_the_handler,
        ..Answers::default()
    };
    let served = Arc::clone(&answers.served);
    let call = calls(layered(answers));
    Work {
        act: Box::new(move |spans| call(spans / SPANS)),
        arrived: work.arrived,
        check: Box::new(move |spans| {
            assert_served(&served, spans / SPANS as u64);
            (work.check)(spans);
        }),
    }
}

fn spans_of_the_handler() {
    let _tenant = tracing::info_span!("tenants.find", tenant_id = "acme").entered();
    let _product = tracing::info_span!("catalogue.get", product = "17").entered();
    let _query = tracing::info_span!("SELECT products", db.system.name = "sqlite").entered();
}
