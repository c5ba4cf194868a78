//! The layer for services that axum itself serves.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{BoxError, body::Body};
use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{ResponseBody, TelemetryLayer, TelemetryService};

/// A [`TelemetryLayer`] whose responses have axum's body type, created by [`TelemetryLayer::axum_body`].
#[derive(Debug, Clone)]
pub struct AxumTelemetryLayer(pub(super) TelemetryLayer);

impl<S> Layer<S> for AxumTelemetryLayer {
    type Service = AxumTelemetryService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AxumTelemetryService(self.0.layer(inner))
    }
}

/// The service of [`AxumTelemetryLayer`].
#[derive(Debug, Clone)]
pub struct AxumTelemetryService<S>(TelemetryService<S>);

impl<S, Received, Sent> Service<Request<Received>> for AxumTelemetryService<S>
where
    TelemetryService<S>: Service<Request<Received>, Response = Response<ResponseBody<Sent>>>,
    Sent: http_body::Body<Data = Bytes> + Send + 'static,
    Sent::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = <TelemetryService<S> as Service<Request<Received>>>::Error;
    type Future = AxumResponseFuture<<TelemetryService<S> as Service<Request<Received>>>::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Received>) -> Self::Future {
        AxumResponseFuture {
            inner: self.0.call(request),
        }
    }
}

pin_project! {
    /// The future of [`AxumTelemetryService`].
    #[derive(Debug)]
    pub struct AxumResponseFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, Sent, Error> Future for AxumResponseFuture<F>
where
    F: Future<Output = Result<Response<Sent>, Error>>,
    Sent: http_body::Body<Data = Bytes> + Send + 'static,
    Sent::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let response = self.project().inner.poll(context);
        response.map_ok(|response| response.map(Body::new))
    }
}
