//! Attributes of the server span that say by which address, and from where, a request came.

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

/// The longest `user_agent.original` in bytes.
const MAX_USER_AGENT: usize = 256;

/// The longest `server.address` in bytes, as DNS has it.
const MAX_HOST: usize = 253;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The address of the client's end of the connection, for frameworks other than axum: an extension of the request that
/// [`TelemetryLayer::client_address`](super::TelemetryLayer::client_address) reads.
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

/// Which attributes the span has, and whose word is taken for them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SpanAttributes {
    pub(super) https: bool,
    pub(super) server_address: bool,
    pub(super) client_address: bool,
    pub(super) user_agent: bool,
    pub(super) proxies: Proxies,
}

/// The proxies whose headers are believed, and how many there are in a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Proxies {
    #[default]
    None,
    Forwarded(usize),
    XForwarded(usize),
}

impl SpanAttributes {
    /// `url.scheme`.
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
        let by_host = || authority(request.headers.get(HOST)?.to_str().ok()?);
        let server = self.proxies.host(&request.headers).and_then(authority);
        let server = server.or_else(|| request.uri.authority().cloned());
        let server = server.or_else(by_host)?;
        let host = server.host().trim_start_matches('[').trim_end_matches(']');
        let known = !host.is_empty() && host.len() <= MAX_HOST;
        known.then(|| (host.to_owned(), server.port_u16().map(i64::from)))
    }

    /// `client.address`.
    pub(super) fn client(self, request: &Parts) -> Option<IpAddr> {
        if !self.client_address {
            return None;
        }
        let client = self.proxies.client(&request.headers);
        let client = client.or_else(|| peer(request).map(|peer| peer.ip()));
        client.map(|client| client.to_canonical())
    }

    /// `user_agent.original`.
    pub(super) fn user_agent(self, request: &Parts) -> Option<&str> {
        if !self.user_agent {
            return None;
        }
        let user_agent = str::from_utf8(request.headers.get(USER_AGENT)?.as_bytes()).ok()?;
        Some(&user_agent[..user_agent.floor_char_boundary(MAX_USER_AGENT)])
    }
}

fn peer(request: &Parts) -> Option<SocketAddr> {
    if let Some(PeerAddress(peer)) = request.extensions.get() {
        return Some(*peer);
    }
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(peer)) = request.extensions.get() {
        return Some(*peer);
    }
    None
}

impl Proxies {
    fn scheme(self, headers: &HeaderMap) -> Option<&'static str> {
        let scheme = self.value(headers, "proto", X_FORWARDED_PROTO)?;
        ["http", "https"]
            .into_iter()
            .find(|known| scheme.eq_ignore_ascii_case(known))
    }

    fn host(self, headers: &HeaderMap) -> Option<&str> {
        self.value(headers, "host", X_FORWARDED_HOST)
    }

    /// The client's address, unless it is hidden or no address.
    fn client(self, headers: &HeaderMap) -> Option<IpAddr> {
        let client = self.value(headers, "for", X_FORWARDED_FOR)?;
        let without_brackets = client.trim_start_matches('[').trim_end_matches(']');
        let with_port = || client.parse::<SocketAddr>().map(|address| address.ip());
        without_brackets.parse().or_else(|_| with_port()).ok()
    }

    /// What the outermost of these proxies wrote.
    fn value<'headers>(
        self,
        headers: &'headers HeaderMap,
        parameter: &str,
        header: HeaderName,
    ) -> Option<&'headers str> {
        match self {
            Self::None => None,
            Self::Forwarded(count) => {
                let element = from_the_right(headers, FORWARDED, count)?;
                let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
                let of_name =
                    |(name, _): &(&str, &str)| name.trim().eq_ignore_ascii_case(parameter);
                let (_, value) = pairs.find(of_name)?;
                Some(value.trim().trim_matches('"'))
            }
            Self::XForwarded(count) => from_the_right(headers, header, count),
        }
    }
}

/// An element of a list in a header, of which each proxy appends one; the first if there are fewer.
fn from_the_right(headers: &HeaderMap, header: HeaderName, count: usize) -> Option<&str> {
    let values = headers.get_all(header).into_iter().rev();
    let elements = values.filter_map(|value| value.to_str().ok());
    let elements = elements.flat_map(|value| value.rsplit(','));
    elements.take(count).last().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &str)]) -> Parts {
        let mut request = http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    fn by(proxies: Proxies) -> SpanAttributes {
        SpanAttributes {
            server_address: true,
            client_address: true,
            proxies,
            ..SpanAttributes::default()
        }
    }

    #[test]
    fn each_proxy_appends_an_address() {
        let list = request(&[
            ("x-forwarded-for", "6.6.6.6, 203.0.113.7"),
            ("x-forwarded-for", "10.0.0.2:4711"),
        ]);
        for (count, expected) in [
            (0, None),
            (1, Some("10.0.0.2")),
            (2, Some("203.0.113.7")),
            (3, Some("6.6.6.6")),
            (4, Some("6.6.6.6")),
        ] {
            let client = by(Proxies::XForwarded(count)).client(&list);
            assert_eq!(
                client,
                expected.map(|text| text.parse().expect("an address"))
            );
        }
        assert_eq!(by(Proxies::None).client(&list), None);
        assert_eq!(by(Proxies::Forwarded(1)).client(&list), None);
    }

    #[test]
    fn forwarded_is_read_with_its_quotes() {
        let forwarded = request(&[(
            "forwarded",
            "for=192.0.2.1, For=\"[2001:db8::1]:4711\"; Proto=HTTPS;host=\"shop.example:8443\"",
        )]);
        let attributes = by(Proxies::Forwarded(1));
        let client = attributes.client(&forwarded);
        assert_eq!(client, "2001:db8::1".parse().ok());
        assert_eq!(attributes.scheme(&forwarded), "https");
        let server = attributes.server(&forwarded);
        assert_eq!(server, Some(("shop.example".to_owned(), Some(8443))));
        assert_eq!(by(Proxies::Forwarded(2)).scheme(&forwarded), "http");
    }

    #[test]
    fn what_is_no_address_or_scheme_is_not_recorded() {
        let long = "a".repeat(MAX_HOST + 1);
        let headers = request(&[
            ("x-forwarded-for", "unknown"),
            ("x-forwarded-proto", "javascript"),
            ("x-forwarded-host", "no host"),
            ("host", &long),
        ]);
        let attributes = by(Proxies::XForwarded(1));
        assert_eq!(attributes.client(&headers), None);
        assert_eq!(attributes.scheme(&headers), "http");
        assert_eq!(attributes.server(&headers), None);
    }

    #[test]
    fn passwords_and_brackets_are_not_part_of_a_host() {
        let headers = request(&[("host", "user:hunter2@[::1]:8080")]);
        let server = by(Proxies::None).server(&headers);
        assert_eq!(server, Some(("::1".to_owned(), Some(8080))));
    }
}
