//! A response whose body the server sent as far as it had to counts under its status; one whose client left does not.

use std::{convert::Infallible, fmt};

use axum::{Router, routing::any};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Version, header::CONTENT_LENGTH};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use rustok_telemetry::{
    http::{RouteTemplate, TelemetryLayer},
    testing,
};
use tower::{ServiceBuilder, ServiceExt};

use super::support::{
    REQUESTS, TestBody, counted, exchange, leave_after, read, send_http2, serve, within,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Nothing, and says so.
    Empty,
    /// Everything in one frame, and says so.
    Full,
    /// No length, and the end is seen by polling.
    Stream,
    /// The length is in the header, and nothing follows.
    AnnouncedZero,
    /// The length is in the header, and the end is seen by polling.
    Announced,
    /// The length is known to the body alone, and nothing follows.
    HintedZero,
    /// The length is known to the body alone, and the end is seen by polling.
    Hinted,
    /// No length, and trailers at the end, after which a server does not poll.
    Trailers,
    /// Frames without data.
    EmptyFrames,
}

const SHAPES: [Shape; 9] = [
    Shape::Empty,
    Shape::Full,
    Shape::Stream,
    Shape::AnnouncedZero,
    Shape::Announced,
    Shape::HintedZero,
    Shape::Hinted,
    Shape::Trailers,
    Shape::EmptyFrames,
];

impl Shape {
    fn response(self, status: StatusCode) -> Response<TestBody> {
        let stream = || TestBody::of(&["01234", "56789"]);
        let (length, body) = match self {
            Self::Empty => (None, TestBody::default().hinting(0).telling_its_end()),
            Self::Full => {
                let body = TestBody::of(&["0123456789"]);
                (None, body.hinting(10).telling_its_end())
            }
            Self::Stream => (None, stream()),
            Self::AnnouncedZero => (Some("0"), TestBody::default()),
            Self::Announced => (Some("10"), stream()),
            Self::HintedZero => (None, TestBody::default().hinting(0)),
            Self::Hinted => (None, stream().hinting(10)),
            Self::Trailers => (None, stream().with_trailers()),
            Self::EmptyFrames => (None, TestBody::of(&["", "01234", ""])),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        if let Some(length) = length {
            let length = http::HeaderValue::from_static(length);
            response.headers_mut().insert(CONTENT_LENGTH, length);
        }
        let route = RouteTemplate("/bodies".into());
        response.extensions_mut().insert(route);
        response
    }
}

struct Case {
    framework: &'static str,
    version: Version,
    method: Method,
    status: u16,
    shape: Shape,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            framework,
            version,
            method,
            status,
            shape,
        } = self;
        write!(
            f,
            "{framework}, {version:?}: {method} with {status} and {shape:?}"
        )
    }
}

impl Case {
    fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for framework in ["hyper", "axum"] {
            for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
                for method in [Method::GET, Method::HEAD, Method::CONNECT] {
                    for status in [101, 200, 202, 204, 205, 304, 500] {
                        cases.extend(SHAPES.map(|shape| Self {
                            framework,
                            version,
                            method: method.clone(),
                            status,
                            shape,
                        }));
                    }
                }
            }
        }
        cases.retain(Self::is_possible);
        cases
    }

    fn is_possible(&self) -> bool {
        let http2 = self.version == Version::HTTP_2;
        let without_data = matches!(
            self.shape,
            Shape::Empty | Shape::AnnouncedZero | Shape::HintedZero
        );
        let without_body = self.method == Method::HEAD || [204, 205, 304].contains(&self.status);
        if self.method == Method::CONNECT {
            // hyper refuses a length in a successful answer to CONNECT, and does not ask an HTTP/2 server for one.
            let announced = matches!(self.shape, Shape::Announced | Shape::AnnouncedZero);
            return !http2
                && self.framework == "hyper"
                && self.status < 400
                && !announced
                && ![101, 304].contains(&self.status);
        }
        match self.status {
            // An answer to a request for an upgrade.
            101 => self.version == Version::HTTP_11 && self.method == Method::GET,
            // hyper's HTTP/2 server sends data where none may be, and clients reset that.
            _ => !http2 || without_data || !without_body,
        }
    }

    async fn run(&self) {
        let (status, shape) = (self.status, self.shape);
        let status = StatusCode::from_u16(status).expect("a status");
        let address = match self.framework {
            "hyper" => {
                let respond = move |_| async move { Ok::<_, Infallible>(shape.response(status)) };
                let layer = ServiceBuilder::new().layer(TelemetryLayer::new());
                serve(layer.service_fn(respond)).await
            }
            _ => {
                let respond =
                    move || async move { shape.response(status).map(axum::body::Body::new) };
                let app = Router::new().route("/bodies", any(respond));
                serve(app.layer(TelemetryLayer::new())).await
            }
        };
        self.request(address).await;
    }

    async fn request(&self, address: std::net::SocketAddr) {
        if self.version == Version::HTTP_2 {
            let request = Request::builder()
                .method(&self.method)
                .uri(format!("http://{address}/bodies"));
            let request = request.body(Empty::<Bytes>::new()).expect("a request");
            let response = send_http2(address, request).await;
            assert_eq!(response.status(), self.status, "{self}");
            read(response).await;
            return;
        }
        let method = &self.method;
        let target = match *method {
            Method::CONNECT => "shop:80",
            _ => "/bodies",
        };
        let connection = match self.status {
            101 => "connection: upgrade\r\nupgrade: test",
            _ => "connection: close",
        };
        let version = self.version;
        let request =
            format!("{method} {target} {version:?}\r\nhost: shop\r\n{connection}\r\n\r\n");
        let answer = exchange(address, &request).await;
        let status = answer.split(' ').nth(1);
        assert_eq!(status, Some(&*self.status.to_string()), "{self}: {answer}");
    }
}

#[tokio::test]
async fn a_body_of_every_shape_counts_under_its_status() {
    let mut wrong = Vec::new();
    for case in Case::all() {
        let telemetry = testing::capture();
        case.run().await;
        let seen = counted(&telemetry, 1.0).await;
        let [span] = telemetry.spans().try_into().expect("one span");
        let outcome = span.attribute("rustok.outcome");
        let expected = [("/bodies".to_owned(), case.status.to_string())];
        if seen != expected || outcome.is_some() {
            wrong.push(format!("{case}: {seen:?}, {outcome:?}"));
        }
        telemetry
            .metric("rustok_http_active_connections")
            .assert_value(0.0);
    }
    assert!(
        wrong.is_empty(),
        "{} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn a_client_that_leaves_during_the_body_is_client_closed() {
    let layer = ServiceBuilder::new().layer(TelemetryLayer::new());
    let service = layer.service_fn(|request: Request<_>| async move {
        let body = TestBody::of(&["01234"]).endless();
        let mut response = Response::new(body);
        if request.uri().path() == "/announced" {
            let length = http::HeaderValue::from_static("1000");
            response.headers_mut().insert(CONTENT_LENGTH, length);
        }
        Ok::<_, Infallible>(response)
    });
    for path in ["/streamed", "/announced"] {
        for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
            let telemetry = testing::capture();
            let address = serve(service.clone()).await;
            if version == Version::HTTP_2 {
                let request = Request::get(format!("http://{address}{path}"));
                let request = request.body(Empty::<Bytes>::new()).expect("a request");
                let mut response = send_http2(address, request).await;
                let frame = http_body_util::BodyExt::frame(response.body_mut());
                within(frame).await.expect("a frame").expect("data");
                drop(response);
            } else {
                let request = format!("GET {path} {version:?}\r\nhost: shop\r\n\r\n");
                leave_after(address, &request, "01234").await;
            }
            let requests = counted(&telemetry, 1.0).await;
            assert_eq!(requests[0].1, "client_closed", "{path}, {version:?}");
            telemetry.metric(REQUESTS).assert_value(1.0);
            telemetry.span("GET").assert_cancelled();
        }
    }
}

/// Sends a request whose `Content-Length` is 1000 if it is `declared`. Returns the recorded size of the request.
async fn received<B>(body: B, declared: bool, reads: bool) -> Option<f64>
where
    B: Body + 'static,
    B::Error: fmt::Debug,
{
    let telemetry = testing::capture();
    let layer = ServiceBuilder::new().layer(TelemetryLayer::new());
    let service = layer.service_fn(async |request: Request<B>| {
        if reads {
            let body = request.into_body().collect().await;
            drop(body.expect("a body"));
        }
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let mut request = Request::new(body);
    if declared {
        request
            .headers_mut()
            .insert(CONTENT_LENGTH, http::HeaderValue::from_static("1000"));
    }
    drop(service.oneshot(request).await.expect("infallible"));
    let series = telemetry.metric("rustok_http_request_size_bytes").series();
    series.first().map(|series| series.value)
}

#[tokio::test]
async fn the_size_of_a_request_is_counted_or_declared() {
    // A body without a length.
    let chunked = || {
        let frames =
            ["01234", "567"].map(|data| Ok::<_, Infallible>(Frame::data(Bytes::from(data))));
        StreamBody::new(futures::stream::iter(frames))
    };
    // Type-erased bodies are counted as the handler reads them, whatever the header declares.
    assert_eq!(received(chunked().boxed(), true, true).await, Some(8.0));
    assert_eq!(
        received(chunked().boxed_unsync(), true, true).await,
        Some(8.0)
    );
    let body = axum::body::Body::new(chunked());
    assert_eq!(received(body, true, true).await, Some(8.0));
    #[cfg(feature = "grpc")]
    assert_eq!(
        received(tonic::body::Body::new(chunked()), true, true).await,
        Some(8.0)
    );
    assert_eq!(received(chunked().boxed(), true, false).await, Some(0.0));
    // Other bodies have their declared size.
    assert_eq!(received(chunked(), false, true).await, None);
    assert_eq!(received(chunked(), true, true).await, Some(1000.0));
    assert_eq!(
        received(Full::new(Bytes::from("01234")), false, true).await,
        Some(5.0)
    );
    assert_eq!(
        received(Empty::<Bytes>::new(), false, true).await,
        Some(0.0)
    );
}
