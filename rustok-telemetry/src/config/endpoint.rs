//! OTLP endpoints, by the specification's rules for their URLs.

use std::fmt;

use url::Url;

use super::{Protocol, Signal, debug_is_display, mask_url};

/// An OTLP endpoint, independent of protocol and signal.
///
/// A [base](Endpoint::base) endpoint is for all signals: `http/protobuf` appends the signal's path. An
/// [exact](Endpoint::exact) one is for one signal, and is used unchanged. The default is `localhost` with the
/// protocol's usual port. `grpc` uses no path, and allows an endpoint without a scheme: `collector:4317` is with TLS
/// unless `OTEL_EXPORTER_OTLP_INSECURE` is true.
///
/// A query may contain a secret: `Debug` and `Display` mask it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// With `http` if it was given without a scheme; `None` for the default.
    url: Option<Url>,
    /// With `https`, if it was given without a scheme. The default ports of the two differ.
    tls: Option<Url>,
    exact: bool,
}

impl Endpoint {
    /// Returns an endpoint for all signals.
    ///
    /// # Errors
    ///
    /// The text is not a URL that OTLP can be sent to.
    pub fn base(text: &str) -> Result<Self, EndpointError> {
        Self::parse(text, false)
    }

    /// Returns an endpoint for one signal.
    ///
    /// # Errors
    ///
    /// The text is not a URL that OTLP can be sent to.
    pub fn exact(text: &str) -> Result<Self, EndpointError> {
        Self::parse(text, true)
    }

    fn parse(text: &str, exact: bool) -> Result<Self, EndpointError> {
        let text = text.trim();
        let (url, tls) = if text.contains("://") {
            (parse_url(text)?, None)
        } else if text.is_empty() || text.starts_with(NO_HOST) {
            return Err(EndpointError("not a URL: the scheme is missing".to_owned()));
        } else {
            let with = |scheme: &str| parse_url(&format!("{scheme}://{text}"));
            (with("http")?, Some(with("https")?))
        };
        let url = Some(url);
        Ok(Self { url, tls, exact })
    }

    /// Returns the URL to send `signal` to with `protocol`. `insecure` disables TLS for an endpoint without a scheme.
    pub fn url(&self, signal: Signal, protocol: Protocol, insecure: bool) -> String {
        let tls = self.tls.as_ref().filter(|_| !insecure);
        match (tls.or(self.url.as_ref()), protocol) {
            (None, Protocol::Grpc) => "http://localhost:4317".to_owned(),
            (None, Protocol::HttpProtobuf) => format!("http://localhost:4318{}", signal.path()),
            (Some(url), Protocol::Grpc) => url.origin().ascii_serialization(),
            (Some(url), Protocol::HttpProtobuf) if self.exact => url.to_string(),
            (Some(base), Protocol::HttpProtobuf) => {
                let mut url = base.clone();
                let path = base.path().trim_end_matches('/');
                url.set_path(&format!("{path}{}", signal.path()));
                url.to_string()
            }
        }
    }

    /// Makes it an endpoint for all signals.
    pub(super) fn for_all_signals(&mut self) {
        self.exact = false;
    }

    /// Whether it is with TLS; `None` without a scheme.
    pub(super) fn tls(&self) -> Option<bool> {
        let secure = self.url.as_ref().is_some_and(|url| url.scheme() == "https");
        self.tls.is_none().then_some(secure)
    }

    /// Returns the URL, with `http` if it was given without a scheme; `None` for the default.
    pub(super) fn given(&self) -> Option<&Url> {
        self.url.as_ref()
    }

    /// Whether it is for one signal.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(url) = &self.url else {
            return f.write_str("default");
        };
        let shown = mask_url(url.as_str());
        match self.tls {
            None => f.write_str(&shown),
            Some(_) => f.write_str(shown.trim_start_matches("http://")),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.exact { "exact" } else { "base" };
        write!(f, "Endpoint({kind} {self})")
    }
}

/// Why a text is not an endpoint. It contains no secret.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EndpointError(String);

debug_is_display!(EndpointError);

/// What a text without a host starts with.
const NO_HOST: [char; 5] = ['/', '\\', ':', '?', '#'];

fn parse_url(text: &str) -> Result<Url, EndpointError> {
    let wrong = |why: &str| Err(EndpointError(why.to_owned()));
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return wrong("not a URL: it has white space inside");
    }
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return wrong("the scheme is neither http nor https");
    }
    if rest.is_empty() || rest.starts_with(NO_HOST) {
        return wrong("not a URL: the host is missing after `://`");
    }
    let url = Url::parse(text).map_err(|error| EndpointError(format!("not a URL: {error}")))?;
    if url.port() == Some(0) {
        return wrong("port 0 cannot be connected to");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(
            "a user name or password in the URL is not sent; use the header authorization=Basic%20… instead",
        );
    }
    if url.fragment().is_some() {
        return wrong("a fragment (#…) is not sent to a server; remove it");
    }
    Ok(url)
}
