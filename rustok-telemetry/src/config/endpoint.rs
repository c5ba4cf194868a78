//! Where OTLP is sent: the specification's rules for endpoint URLs.

use std::fmt;

use url::Url;

use super::otlp::{Protocol, Signal};
use super::variables::{mask_url, one_line};

/// Where OTLP is sent, before it is known which protocol and signal it is for.
///
/// A [base](Endpoint::base) endpoint is for all signals, and gets the signal's path with
/// `http/protobuf`. An [exact](Endpoint::exact) one is for one signal, and is used as it is. The default
/// one is `localhost` on the protocol's usual port. With `grpc` no path is used.
///
/// A query may hold a secret: `Debug` and `Display` mask it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    given: Option<Url>,
    exact: bool,
}

impl Endpoint {
    /// An endpoint for all signals.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, with an example of a right one.
    pub fn base(text: &str) -> Result<Self, EndpointError> {
        let given = Some(parse_url(text)?);
        Ok(Self {
            given,
            exact: false,
        })
    }

    /// An endpoint for one signal.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, with an example of a right one.
    pub fn exact(text: &str) -> Result<Self, EndpointError> {
        let given = Some(parse_url(text)?);
        Ok(Self { given, exact: true })
    }

    /// The URL to send `signal` to with `protocol`.
    pub fn url(&self, signal: Signal, protocol: Protocol) -> String {
        let Some(given) = &self.given else {
            return default_url(signal, protocol);
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

    /// The URL as it was given; `None` for the default.
    pub(super) fn given(&self) -> Option<&Url> {
        self.given.as_ref()
    }

    /// Whether it is for one signal.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.given {
            Some(url) => f.write_str(&mask_url(url.as_str())),
            None => f.write_str("default"),
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EndpointError(String);

/// TLS is not built in. This is the one place that says so.
fn refuse_tls(url: &Url) -> Result<(), EndpointError> {
    match url.scheme() {
        "https" => Err(EndpointError(
            "https is not supported by this version, since TLS is not built in: send to a Collector \
             nearby with http, which can forward with TLS"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

fn parse_url(text: &str) -> Result<Url, EndpointError> {
    let text = text.trim();
    let wrong = |why: String| Err(EndpointError(why));
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return wrong("not a URL: it has white space inside".to_owned());
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return wrong(without_scheme(text));
    };
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
    refuse_tls(&url)?;
    Ok(url)
}

/// `collector:4317` is what gRPC users often write.
fn without_scheme(text: &str) -> String {
    let guess = format!("http://{text}");
    let has_host = Url::parse(&guess).is_ok_and(|url| url.has_host()) && !text.starts_with('/');
    match has_host {
        true => format!(
            "the scheme is missing; write {}",
            one_line(&mask_url(&guess))
        ),
        false => "not a URL: the scheme is missing".to_owned(),
    }
}

fn default_url(signal: Signal, protocol: Protocol) -> String {
    match protocol {
        Protocol::Grpc => "http://localhost:4317".to_owned(),
        Protocol::HttpProtobuf => format!("http://localhost:4318{}", signal.path()),
    }
}
