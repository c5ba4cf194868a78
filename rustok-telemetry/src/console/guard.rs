//! Who may ask: this machine, by its own name, with the token if there is one.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{
    HeaderMap, HeaderValue, Version,
    header::{AUTHORIZATION, COOKIE, HOST, HeaderName},
    request::Parts,
    uri::Authority,
};

use subtle::ConstantTimeEq as _;

use super::{Console, query::Parameters};

/// Headers that proxies add, besides those that begin with `x-forwarded`.
const OF_PROXIES: [&str; 9] = [
    "cf-connecting-ip",
    "client-ip",
    "forwarded",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-envoy-external-address",
    "x-original-forwarded-for",
    "x-real-ip",
];

const UNKNOWN_PEER: Refusal = "the console does not know who asks; serve with \
    app.into_make_service_with_connect_info::<SocketAddr>(), or set Console::allow_remote(true) and Console::bearer_token";

/// Why a request is refused, in a sentence.
pub(super) type Refusal = &'static str;

impl Console {
    /// Checks a request. `is_page`: a link on another page may lead to it, and its address may have the token.
    pub(super) fn admit(&self, request: &Parts, is_page: bool) -> Result<(), Refusal> {
        if !self.allow_remote {
            of_this_machine(request)?;
        }
        let is_allowed = |host: &str| {
            let mut allowed = self.allowed_hosts.iter();
            is_own_name(host) || allowed.any(|name| name.eq_ignore_ascii_case(host))
        };
        let hosts = hosts(request).unwrap_or_default();
        if hosts.is_empty() || !hosts.iter().all(|host| is_allowed(host.host())) {
            return Err(
                "the console does not answer to this host name; Console::allowed_host adds one",
            );
        }
        // A page of another origin cannot read the answer; this also keeps it from asking.
        let site = request.headers.get("sec-fetch-site");
        if !is_page && site.is_some_and(|site| site != "same-origin" && site != "none") {
            return Err("the console does not answer pages of other origins");
        }
        match &self.token {
            Some(token) if !has_token(request, token, is_page) => Err(
                "the console needs its token; open its page with ?token=TOKEN, or send Authorization: Bearer TOKEN",
            ),
            _ => Ok(()),
        }
    }

    /// Returns the cookie for a page that was opened with the token in its address.
    pub(super) fn cookie(&self, request: &Parts) -> Option<String> {
        let token = self.token.as_ref()?;
        let parameters = Parameters::of(request.uri.query()?);
        (!parameters.text("token").is_empty()).then(|| {
            let name = cookie_name(&request.headers);
            format!("{name}={}; HttpOnly; SameSite=Strict", hex(token))
        })
    }
}

/// Refuses what another machine sent, or may have sent.
fn of_this_machine(request: &Parts) -> Result<(), Refusal> {
    match request.extensions.get::<ConnectInfo<SocketAddr>>() {
        Some(ConnectInfo(peer)) if is_loopback(peer.ip()) => {}
        Some(_) => return Err("the console answers requests from this machine only"),
        // The `Host` alone proves nothing: other machines choose it too.
        None => return Err(UNKNOWN_PEER),
    }
    let mut names = request.headers.keys().map(HeaderName::as_str);
    let is_of_proxy = |name: &str| name.starts_with("x-forwarded") || OF_PROXIES.contains(&name);
    // With its defaults, nginx adds no header, replaces the `Host` by the name of this machine, and sends HTTP/1.0.
    if request.version < Version::HTTP_11 || names.any(is_of_proxy) {
        return Err("the console does not answer requests that a proxy has forwarded");
    }
    Ok(())
}

/// Returns the hosts that a request names: one, unless it is ambiguous. `None` if one is invalid.
fn hosts(request: &Parts) -> Option<Vec<Authority>> {
    let named = request.headers.get_all(HOST).iter();
    let named = named.map(|host| Authority::try_from(host.as_bytes()).ok());
    // HTTP/2 has it in the address.
    named
        .chain(request.uri.authority().cloned().map(Some))
        .collect()
}

fn is_own_name(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(is_loopback)
}

pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Returns whether a request has the token. Nothing is equal to an empty one.
fn has_token(request: &Parts, token: &str, is_page: bool) -> bool {
    let headers = &request.headers;
    let bearer = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let bearer = bearer.and_then(|value| value.split_at_checked("Bearer ".len()));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "));
    let parameters = Parameters::of(request.uri.query().unwrap_or_default());
    let cookie = format!("{}={}", cookie_name(headers), hex(token));
    let cookies = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let mut cookies = cookies.flat_map(|cookies| cookies.split(|byte| *byte == b';'));
    !token.is_empty()
        && (bearer.is_some_and(|(_, given)| bool::from(given.trim_ascii().ct_eq(token.as_bytes())))
            || is_page && bool::from(parameters.text("token").as_bytes().ct_eq(token.as_bytes()))
            || cookies.any(|given| bool::from(given.trim_ascii().ct_eq(cookie.as_bytes()))))
}

/// Browsers do not tell the ports of a host apart, so the port is in the name.
fn cookie_name(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let port = host
        .and_then(|host| host.rsplit_once(':'))
        .map_or("", |(_, port)| port);
    let port: String = port.chars().filter(char::is_ascii_digit).collect();
    format!("rustok-console-{port}")
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
