//! HTTP clients: a middleware for reqwest that creates a span for each request and injects its context.
//!
//! ```
//! use reqwest_middleware::ClientBuilder;
//! use rustok_telemetry::http::client::{TelemetryMiddleware, UrlTemplate};
//!
//! # async fn ask(sku: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let client = ClientBuilder::new(reqwest::Client::new())
//!     .with(TelemetryMiddleware::new())
//!     .build();
//! let answer = client
//!     .get(format!("http://inventory/stock/{sku}"))
//!     .with_extension(UrlTemplate("/stock/{sku}".into()))
//!     .send()
//!     .await?;
//! # Ok(()) }
//! ```
//!
//! # Spans
//!
//! The span follows OpenTelemetry's conventions for HTTP clients: kind `client`, name `{method} {template}` where the
//! request has a [`UrlTemplate`], else the method. In the span metrics its `operation` is `http_client_request`. Its
//! attributes are `http.request.method`, `server.address`, `server.port`, `url.full`, `url.template` and
//! `http.response.status_code`. Headers and bodies are not recorded.
//!
//! Unlike in the conventions, `url.full` has no user, password, query and fragment, because they may contain secrets.
//!
//! A redirected request has one span, and its trace and [tenant](TelemetryMiddleware::send_tenant) headers are sent to
//! the new location too. The span ends with the response head, before the caller reads the body. Add a middleware that
//! retries after this one for one span per request, before it for one span per attempt.
//!
//! # Outcomes
//!
//! | what happened | `error.type` |
//! |---|---|
//! | status 4xx or 5xx | the status code |
//! | no response | `timeout`, `connect`, `redirect`, `body`, `decode`, `request`, or `error` for anything else, such as the error of another middleware |
//! | the future was dropped | none; the span is cancelled |
//! | another middleware panicked | `panic` |

use std::{borrow::Cow, fmt};

use async_trait::async_trait;
use http::Extensions;
use reqwest_middleware::reqwest::{self, Request, Response, Url};
use reqwest_middleware::{Error, Middleware, Next, Result};
use tracing::{Span, field::Empty};

use super::{
    method::{RequestName, known_method},
    semantic::SentRequest,
};
use crate::{
    ErrorType,
    error_type::ErrorName,
    operation::{Call, CallMeta, OutcomeFuture},
    propagation,
    trace::native,
};

/// Creates a span for each request and injects its context into the headers. See the [module](self).
#[derive(Debug, Clone, Copy, Default)]
#[must_use = "a middleware does nothing until it is added to a client"]
pub struct TelemetryMiddleware {
    sends_tenant: bool,
}

impl TelemetryMiddleware {
    /// Returns a middleware that sends the trace and no tenant.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also sends the current [tenant](crate::tenant), as the baggage entry `tenant_id`.
    ///
    /// Only for clients of internal services: every receiver can read it. The receiver accepts it with
    /// [`tenant_from_baggage`](super::TelemetryLayer::tenant_from_baggage). A tenant that is
    /// [not valid](crate::propagation#trust) is not sent.
    pub fn send_tenant(mut self) -> Self {
        self.sends_tenant = true;
        self
    }

    fn write_context(self, request: &mut Request) {
        if self.sends_tenant {
            propagation::inject_headers_with_tenant(request.headers_mut());
        } else {
            propagation::inject_headers(request.headers_mut());
        }
    }
}

/// The template of the request's path, such as `/stock/{sku}`: an extension of the request.
///
/// ```
/// use rustok_telemetry::http::client::UrlTemplate;
///
/// # fn request(client: &reqwest_middleware::ClientWithMiddleware) -> reqwest_middleware::RequestBuilder {
/// client
///     .get("http://inventory/stock/TEA-1")
///     .with_extension(UrlTemplate("/stock/{sku}".into()))
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate(pub Cow<'static, str>);

#[async_trait]
impl Middleware for TelemetryMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let sent = SentRequest::begin(&request);
        let span = client_span(&request, extensions.get());
        span.in_scope(|| self.write_context(&mut request));
        let call = Call::begin(span, &CallMeta::NO_MODULE);
        let result = OutcomeFuture::new(call, next.run(request, extensions), failure).await;
        if let Some(sent) = sent {
            sent.end(&result);
        }
        result
    }
}

fn client_span(request: &Request, template: Option<&UrlTemplate>) -> Span {
    let (method, url) = (known_method(request.method()), request.url());
    let template = template.map(|UrlTemplate(template)| &**template);
    native::create(|| {
        tracing::info_span!(
            target: "rustok_telemetry::http",
            "http_client_request",
            otel.name = %RequestName { method, template },
            otel.kind = "client",
            otel.status_code = Empty,
            error.type = Empty,
            rustok.outcome = Empty,
            http.request.method = method,
            http.response.status_code = Empty,
            server.address = url.host_str(),
            server.port = url.port_or_known_default().map(i64::from),
            url.full = %Redacted(url),
            url.template = template,
        )
    })
}

fn failure(result: &Result<Response>, span: &Span) -> Option<ErrorName> {
    match result {
        Ok(response) => {
            let status = response.status();
            span.record("http.response.status_code", i64::from(status.as_u16()));
            (status.is_client_error() || status.is_server_error())
                .then(|| ErrorName::of_code(status.as_u16()))
        }
        Err(error) => Some(ErrorName::given(error.error_type())),
    }
}

/// `timeout`, `connect`, `redirect`, `body`, `decode`, `status`, `request`, or `error` for anything else.
impl ErrorType for reqwest::Error {
    fn error_type(&self) -> &'static str {
        // A timeout while connecting is both, so the order matters.
        match self {
            error if error.is_timeout() => "timeout",
            error if error.is_connect() => "connect",
            error if error.is_redirect() => "redirect",
            error if error.is_body() => "body",
            error if error.is_decode() => "decode",
            error if error.is_status() => "status",
            error if error.is_request() => "request",
            _ => "error",
        }
    }
}

/// The name of the reqwest error, or `error` for an error of another middleware.
impl ErrorType for Error {
    fn error_type(&self) -> &'static str {
        match self {
            Self::Reqwest(error) => error.error_type(),
            Self::Middleware(_) => "error",
        }
    }
}

/// A URL without user, password, query and fragment.
struct Redacted<'url>(&'url Url);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.0.scheme())?;
        f.write_str(self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())
    }
}
