//! Attributes of the server span: scheme, addresses of server and client, and user agent.

use std::{
    net::{IpAddr, SocketAddr},
    str::{self, FromStr},
};

use http::{
    HeaderMap, HeaderName,
    header::{FORWARDED, HOST, USER_AGENT},
    request::Parts,
    uri::Authority,
};

/// Maximum length of `user_agent.original` in bytes.
const MAX_USER_AGENT: usize = 256;

/// Maximum length of `server.address` in bytes, that of a DNS name.
const MAX_HOST: usize = 253;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The address of the connection's client, for frameworks other than axum: an extension of the request, read by
/// [`TelemetryLayer::client_address`](super::TelemetryLayer::client_address).
///
/// ```
/// use rustok_telemetry::http::PeerAddress;
///
/// # fn request(peer: std::net::SocketAddr) {
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(PeerAddress(peer));
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

/// The attributes to record, and the proxies that are trusted for them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SpanAttributes {
    pub(super) https: bool,
    pub(super) server_address: bool,
    pub(super) client_address: bool,
    pub(super) user_agent: bool,
    pub(super) proxies: Proxies,
}

/// The kind of header that is trusted, with the number of proxies in a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Proxies {
    #[default]
    None,
    Forwarded(usize),
    XForwarded(usize),
}

impl SpanAttributes {
    /// Returns `url.scheme`.
    pub(super) fn scheme(self, request: &Parts) -> &str {
        match self.proxies.scheme(&request.headers) {
            Some(scheme) => scheme,
            None if self.https => "https",
            None => request.uri.scheme_str().unwrap_or("http"),
        }
    }

    /// Returns `server.address` and `server.port`, if the request has them.
    pub(super) fn server(self, request: &Parts) -> Option<(String, Option<i64>)> {
        if !self.server_address {
            return None;
        }
        let authority = |text| Authority::from_str(text).ok();
        let in_host_header = || authority(request.headers.get(HOST)?.to_str().ok()?);
        let forwarded = self
            .proxies
            .value(&request.headers, "host", X_FORWARDED_HOST);
        let server = forwarded.and_then(authority);
        let server = server.or_else(|| request.uri.authority().cloned());
        let server = server.or_else(in_host_header)?;
        let host = server.host().trim_start_matches('[').trim_end_matches(']');
        let is_valid = (1..=MAX_HOST).contains(&host.len());
        is_valid.then(|| (host.to_owned(), server.port_u16().map(i64::from)))
    }

    /// Returns `client.address`.
    pub(super) fn client(self, request: &Parts) -> Option<IpAddr> {
        if !self.client_address {
            return None;
        }
        let client = self.proxies.client(&request.headers);
        let client = client.or_else(|| peer(request));
        client.map(|client| client.to_canonical())
    }

    /// Returns `user_agent.original`.
    pub(super) fn user_agent(self, request: &Parts) -> Option<&str> {
        if !self.user_agent {
            return None;
        }
        let user_agent = str::from_utf8(request.headers.get(USER_AGENT)?.as_bytes()).ok()?;
        Some(&user_agent[..user_agent.floor_char_boundary(MAX_USER_AGENT)])
    }
}

fn peer(request: &Parts) -> Option<IpAddr> {
    if let Some(PeerAddress(peer)) = request.extensions.get() {
        return Some(peer.ip());
    }
    #[cfg(feature = "axum")]
    return crate::access::peer(&request.extensions);
    #[cfg(not(feature = "axum"))]
    None
}

impl Proxies {
    fn scheme(self, headers: &HeaderMap) -> Option<&'static str> {
        let scheme = self.value(headers, "proto", X_FORWARDED_PROTO)?;
        ["http", "https"]
            .into_iter()
            .find(|known| scheme.eq_ignore_ascii_case(known))
    }

    /// Returns the client's address, unless it is obfuscated or malformed.
    fn client(self, headers: &HeaderMap) -> Option<IpAddr> {
        let client = self.value(headers, "for", X_FORWARDED_FOR)?;
        let without_brackets = client.trim_start_matches('[').trim_end_matches(']');
        let with_port = || client.parse::<SocketAddr>().map(|address| address.ip());
        without_brackets.parse().or_else(|_| with_port()).ok()
    }

    /// Returns the value that the outermost trusted proxy wrote.
    fn value<'headers>(
        self,
        headers: &'headers HeaderMap,
        parameter: &str,
        header: HeaderName,
    ) -> Option<&'headers str> {
        match self {
            Self::None => None,
            Self::Forwarded(count) => {
                let element = from_end(headers, FORWARDED, count)?;
                let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
                let (_, value) =
                    pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(parameter))?;
                Some(value.trim().trim_matches('"'))
            }
            Self::XForwarded(count) => from_end(headers, header, count),
        }
    }
}

/// Returns the element at `count` from the end of a list to which each proxy appends one, or the first if there are
/// fewer.
fn from_end(headers: &HeaderMap, header: HeaderName, count: usize) -> Option<&str> {
    let values = headers.get_all(header).into_iter().rev();
    let elements = values.filter_map(|value| value.to_str().ok());
    let elements = elements.flat_map(|value| value.rsplit(','));
    elements.take(count).last().map(str::trim)
}
