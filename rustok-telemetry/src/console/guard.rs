//! Who may ask: this machine, by its own name, with the token if there is one.

use std::net::IpAddr;

use http::{
    HeaderMap, HeaderValue, Version,
    header::{COOKIE, HOST, HeaderName},
    request::Parts,
    uri::Authority,
};

use super::{Console, query::Parameters};
use crate::{
    access::{self, Access, Denied, has_bearer},
    config::Token,
};

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
type Refusal = &'static str;

impl Console {
    /// Checks a request. `is_page`: a link on another page may lead to it, and its address may have the token.
    pub(super) fn admit(
        &self,
        access: &Access,
        request: &Parts,
        is_page: bool,
    ) -> Result<(), (Denied, Refusal)> {
        let peer = access.admit_peer(access::peer(&request.extensions));
        peer.map_err(|reason| (reason, reason.sentence()))?;
        let host = self.admit_host(request, is_page);
        host.map_err(|refusal| (Denied::Forbidden, refusal))?;
        match self.token(access) {
            Some(token) if !has_token(request, token, is_page) => Err((
                Denied::NoToken,
                "the console needs its token; open its page with ?token=TOKEN, or send Authorization: Bearer TOKEN",
            )),
            _ => Ok(()),
        }
    }

    /// Returns the token of the console, or else that of all endpoints.
    pub(super) fn token<'a>(&'a self, access: &'a Access) -> Option<&'a Token> {
        self.token.as_ref().or_else(|| access.token())
    }

    fn admit_host(&self, request: &Parts, is_page: bool) -> Result<(), Refusal> {
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
                "the console does not answer to this host name; open it as 127.0.0.1 or localhost, or add the name with \
                 Console::allowed_host",
            );
        }
        // A page of another origin cannot read the answer; this also keeps it from asking.
        let site = request.headers.get("sec-fetch-site");
        if !is_page && site.is_some_and(|site| site != "same-origin" && site != "none") {
            return Err("the console does not answer pages of other origins");
        }
        Ok(())
    }

    /// Returns the cookie for a page that was opened with the token in its address.
    pub(super) fn cookie(&self, access: &Access, request: &Parts) -> Option<String> {
        let token = self.token(access)?;
        let parameters = Parameters::of(request.uri.query()?);
        (!parameters.text("token").is_empty()).then(|| {
            let name = cookie_name(&request.headers);
            format!("{name}={}; HttpOnly; SameSite=Strict", hex(token.as_str()))
        })
    }
}

/// Refuses what another machine sent, or may have sent.
fn of_this_machine(request: &Parts) -> Result<(), Refusal> {
    match access::peer(&request.extensions) {
        Some(peer) if is_loopback(peer) => {}
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

/// Whether a request has the token: in a header, in the address of the page, or in the cookie.
fn has_token(request: &Parts, token: &Token, is_page: bool) -> bool {
    let headers = &request.headers;
    let parameters = Parameters::of(request.uri.query().unwrap_or_default());
    let name = format!("{}=", cookie_name(headers));
    let cookies = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let cookies = cookies.flat_map(|cookies| cookies.split(|byte| *byte == b';'));
    let mut cookies =
        cookies.filter_map(|cookie| cookie.trim_ascii().strip_prefix(name.as_bytes()));
    has_bearer(headers, token)
        || is_page && token.matches(parameters.text("token").as_bytes())
        || cookies.any(|cookie| unhex(cookie).is_some_and(|given| token.matches(&given)))
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

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(digits).collect()
}
