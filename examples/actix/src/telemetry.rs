//! The library's HTTP layer as a middleware: `App::new().wrap(from_fn(telemetry))`.
//!
//! actix-web has types of its own. The middleware gives the head of each request to the layer, and each response body
//! passes through it, so that spans, metrics and outcomes are those of any other HTTP service.

use std::{
    cell::Cell,
    error::Error as StdError,
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll},
};

use actix_web::{
    Error,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Version,
        header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING},
    },
    middleware::Next,
    web::Bytes,
};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use rustok_telemetry::{
    http::{ResponseBody, RouteTemplate, TelemetryLayer},
    propagation::TRACE_RESPONSE,
};
use tower::{Layer, ServiceExt, service_fn};

static LAYER: LazyLock<TelemetryLayer> = LazyLock::new(TelemetryLayer::new);

/// Creates a server span for each request and records the `rustok_http_*` metrics.
pub(crate) async fn telemetry(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<TrackedBody>, Error> {
    let head = head(&request);
    let (mut request, answer) = (Some(request), Cell::new(None));
    let answered = &answer;
    let service = service_fn(|_: Request<HttpBody>| {
        let request = request.take().expect("the layer calls its service once");
        let handled = next.call(request);
        async move {
            let (status, headers, body) = match handled.await {
                Ok(response) => {
                    let (request, response) = response.into_parts();
                    let (response, body) = response.into_parts();
                    let (status, headers) = (response.status(), copy(response.headers()));
                    answered.set(Some(Ok((request, response, body.size()))));
                    (status, headers, body.boxed())
                }
                Err(error) => {
                    let status = error.as_response_error().status_code();
                    answered.set(Some(Err(error)));
                    (status, http::HeaderMap::new(), BoxBody::new(()))
                }
            };
            let size = body.size();
            let mut response = Response::new(HttpBody { size, body });
            *response.status_mut() = StatusCode::from_u16(status.as_u16()).unwrap_or_default();
            *response.headers_mut() = headers;
            Ok::<_, Error>(response)
        }
    });
    let (head, body) = LAYER.layer(service).oneshot(head).await?.into_parts();
    let (request, mut response, size) = answer.take().expect("the service has answered")?;
    if let Some(trace) = head.headers.get(TRACE_RESPONSE)
        && let Ok(trace) = HeaderValue::from_bytes(trace.as_bytes())
    {
        let name = HeaderName::from_static(TRACE_RESPONSE);
        response.headers_mut().insert(name, trace);
    }
    let response = response.set_body(TrackedBody { size, body });
    Ok(ServiceResponse::new(request, response))
}

/// Returns the head of a request, with its route and the size of its body.
fn head(request: &ServiceRequest) -> Request<HttpBody> {
    let headers = request.headers();
    let length = headers.get(CONTENT_LENGTH);
    let size = match length.and_then(|length| length.to_str().ok()?.parse().ok()) {
        Some(length) => BodySize::Sized(length),
        None if headers.contains_key(TRANSFER_ENCODING) => BodySize::Stream,
        None => BodySize::None,
    };
    let body = BoxBody::new(()); // the handler reads it from actix-web
    let mut head = Request::new(HttpBody { size, body });
    let method = request.method().as_str().as_bytes();
    *head.method_mut() = http::Method::from_bytes(method).unwrap_or_default();
    *head.uri_mut() = request.uri().to_string().parse().unwrap_or_default();
    *head.version_mut() = match request.version() {
        Version::HTTP_10 => http::Version::HTTP_10,
        Version::HTTP_2 => http::Version::HTTP_2,
        _ => http::Version::HTTP_11,
    };
    *head.headers_mut() = copy(headers);
    if let Some(template) = request.match_pattern() {
        head.extensions_mut().insert(RouteTemplate(template.into()));
    }
    head
}

/// Copies headers between two versions of the crate `http`.
fn copy(headers: &HeaderMap) -> http::HeaderMap {
    let copied = headers.iter().filter_map(|(name, value)| {
        let name = http::HeaderName::from_bytes(name.as_ref()).ok()?;
        Some((name, http::HeaderValue::from_bytes(value.as_bytes()).ok()?))
    });
    copied.collect()
}

/// A body of actix-web, as the layer reads it.
pub(crate) struct HttpBody {
    size: BodySize,
    body: BoxBody,
}

impl Body for HttpBody {
    type Data = Bytes;
    type Error = Box<dyn StdError>;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let chunk = self.get_mut().body.as_pin_mut().poll_next(context);
        chunk.map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.size.is_eof()
    }

    fn size_hint(&self) -> SizeHint {
        match self.size {
            BodySize::None => SizeHint::with_exact(0),
            BodySize::Sized(length) => SizeHint::with_exact(length),
            BodySize::Stream => SizeHint::default(),
        }
    }
}

/// A response body that the layer tracks, as actix-web sends it.
pub(crate) struct TrackedBody {
    size: BodySize,
    body: ResponseBody<HttpBody>,
}

impl MessageBody for TrackedBody {
    type Error = Box<dyn StdError>;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let frame = Pin::new(&mut self.get_mut().body).poll_frame(context);
        frame.map_ok(|frame| frame.into_data().unwrap_or_default())
    }
}
