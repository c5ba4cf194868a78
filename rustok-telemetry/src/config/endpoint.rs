//! Where OTLP is sent: the specification's rules for endpoint URLs.

use std::fmt;

use url::Url;

use super::error::debug_is_display;
use super::otlp::Signal;
use super::protocol::Protocol;
use super::variables::mask_url;

/// Where OTLP is sent, before it is known which protocol and signal it is for.
///
/// A [base](Endpoint::base) endpoint is for all signals, and gets the signal's path with
/// `http/protobuf`. An [exact](Endpoint::exact) one is for one signal, and is used as it is. The default
/// one is `localhost` on the protocol's usual port. With `grpc` no path is used, and the scheme may be left
/// out: `collector:4317` is with TLS unless `OTEL_EXPORTER_OTLP_INSECURE` is true.
///
/// A query may hold a secret: `Debug` and `Display` mask it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    given: Option<Given>,
    exact: bool,
}

/// An endpoint as it was given. Both readings of one without a scheme are kept, since they differ in their ports.
#[derive(Clone, PartialEq, Eq)]
enum Given {
    Whole(Url),
    WithoutScheme { plain: Url, tls: Url },
}

impl Endpoint {
    /// Returns an endpoint for all signals.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, with an example of a right one.
    pub fn base(text: &str) -> Result<Self, EndpointError> {
        Ok(Self {
            given: Some(parse(text)?),
            exact: false,
        })
    }

    /// Returns an endpoint for one signal.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, with an example of a right one.
    pub fn exact(text: &str) -> Result<Self, EndpointError> {
        Ok(Self {
            given: Some(parse(text)?),
            exact: true,
        })
    }

    /// Returns the URL to send `signal` to with `protocol`. `insecure` decides about TLS where no scheme was given.
    pub fn url(&self, signal: Signal, protocol: Protocol, insecure: bool) -> String {
        let given = match &self.given {
            None => return default_url(signal, protocol),
            Some(Given::WithoutScheme { tls, .. }) if !insecure => tls,
            Some(Given::WithoutScheme { plain: url, .. } | Given::Whole(url)) => url,
        };
        match protocol {
            Protocol::Grpc => given.origin().ascii_serialization(),
            Protocol::HttpProtobuf if self.exact => given.to_string(),
            Protocol::HttpProtobuf => {
                let mut url = given.clone();
                let base = given.path().trim_end_matches('/');
                url.set_path(&format!("{base}{}", signal.path()));
                url.to_string()
            }
        }
    }

    /// Makes it an endpoint for all signals.
    pub(super) fn for_all_signals(&mut self) {
        self.exact = false;
    }

    /// Whether it is with TLS, as far as the endpoint says so. The default one is without.
    pub(super) fn tls(&self) -> Option<bool> {
        match &self.given {
            None => Some(false),
            Some(Given::Whole(url)) => Some(url.scheme() == "https"),
            Some(Given::WithoutScheme { .. }) => None,
        }
    }

    /// The URL as it was given, as one without TLS if it did not say; `None` for the default.
    pub(super) fn given(&self) -> Option<&Url> {
        match self.given.as_ref()? {
            Given::Whole(url) | Given::WithoutScheme { plain: url, .. } => Some(url),
        }
    }

    /// Whether it is for one signal.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |url: &Url| mask_url(url.as_str());
        match &self.given {
            None => f.write_str("default"),
            Some(Given::Whole(url)) => f.write_str(&shown(url)),
            Some(Given::WithoutScheme { plain, .. }) => {
                f.write_str(shown(plain).trim_start_matches("http://"))
            }
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.exact { "exact" } else { "base" };
        write!(f, "Endpoint({kind} {self})")
    }
}

/// Why a text is not an endpoint. Holds no secret.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EndpointError(String);

debug_is_display!(EndpointError);

fn parse(text: &str) -> Result<Given, EndpointError> {
    let text = text.trim();
    if text.contains("://") {
        return Ok(Given::Whole(parse_url(text)?));
    }
    if text.is_empty() || text.starts_with(['/', '\\', ':', '?', '#']) {
        return Err(EndpointError("not a URL: the scheme is missing".to_owned()));
    }
    let with = |scheme: &str| parse_url(&format!("{scheme}://{text}"));
    Ok(Given::WithoutScheme {
        plain: with("http")?,
        tls: with("https")?,
    })
}

fn parse_url(text: &str) -> Result<Url, EndpointError> {
    let wrong = |why: String| Err(EndpointError(why));
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return wrong("not a URL: it has white space inside".to_owned());
    }
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return wrong("the scheme is neither http nor https".to_owned());
    }
    if rest.is_empty() || rest.starts_with(['/', '\\', ':', '?', '#']) {
        return wrong("not a URL: the host is missing after `://`".to_owned());
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return wrong(format!("not a URL: {error}")),
    };
    if url.port() == Some(0) {
        return wrong("port 0 cannot be connected to".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(
            "a user name or password in the URL is not sent; use the header authorization=Basic%20… \
             instead"
                .to_owned(),
        );
    }
    if url.fragment().is_some() {
        return wrong("a fragment (#…) is not sent to a server; remove it".to_owned());
    }
    Ok(url)
}

fn default_url(signal: Signal, protocol: Protocol) -> String {
    match protocol {
        Protocol::Grpc => "http://localhost:4317".to_owned(),
        Protocol::HttpProtobuf => format!("http://localhost:4318{}", signal.path()),
    }
}
