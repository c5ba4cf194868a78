//! Who may ask: this machine, by its own name, with the token if there is one.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{
    HeaderMap,
    header::{AUTHORIZATION, COOKIE, FORWARDED, HOST, HeaderName, VIA},
    request::Parts,
};

use super::{Console, query::Parameters};

/// Headers that proxies add.
const OF_PROXIES: [HeaderName; 6] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
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
        if !host(request).is_some_and(is_allowed) {
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

    /// Returns the cookie for a page that was opened with the right token in its address.
    pub(super) fn cookie(&self, request: &Parts) -> Option<String> {
        let token = self.token.as_ref()?;
        let given = Parameters::of(request.uri.query()?)
            .text("token")
            .to_owned();
        (!given.is_empty()).then(|| {
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
    if OF_PROXIES
        .iter()
        .any(|name| request.headers.contains_key(name))
    {
        return Err("the console does not answer requests that a proxy has forwarded");
    }
    Ok(())
}

/// Returns the host that a request names, without its port.
fn host(request: &Parts) -> Option<&str> {
    let named = match request.headers.get(HOST) {
        Some(host) => host.to_str().ok()?,
        // HTTP/2 has it in the address.
        None => request.uri.authority()?.as_str(),
    };
    if named.starts_with('[') {
        let end = named.find(']')?;
        return Some(&named[..=end]);
    }
    Some(named.split(':').next().unwrap_or_default())
}

fn is_own_name(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(is_loopback)
}

pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn has_token(request: &Parts, token: &str, is_page: bool) -> bool {
    let headers = &request.headers;
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, given) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| given.trim())
    });
    let parameters = Parameters::of(request.uri.query().unwrap_or_default());
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut cookies = cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='));
    let name = cookie_name(headers);
    let is_admitted = |given: &str| are_equal(given.as_bytes(), token.as_bytes());
    bearer.is_some_and(is_admitted)
        || (is_page && is_admitted(parameters.text("token")))
        || cookies
            .any(|(key, value)| key == name && are_equal(value.as_bytes(), hex(token).as_bytes()))
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

/// Compares in a time that does not depend on the content.
fn are_equal(a: &[u8], b: &[u8]) -> bool {
    let differences = a
        .iter()
        .zip(b)
        .fold(0, |found, (a, b)| std::hint::black_box(found | (a ^ b)));
    a.len() == b.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_those_of_the_loopback_interface() {
        for (host, own) in [
            ("localhost", true),
            ("LOCALHOST:5150", true),
            ("127.0.0.1:80", true),
            ("127.9.9.9", true),
            ("[::1]:5150", true),
            ("[::ffff:127.0.0.1]", true),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("evil.example:5150", false),
            ("10.0.0.1", false),
            ("[::2]:1", false),
            ("[::1", false),
            ("", false),
        ] {
            let request = http::Request::get("/").header(HOST, host).body(());
            let (parts, ()) = request.expect("a request").into_parts();
            let found = super::host(&parts).is_some_and(is_own_name);
            assert_eq!(found, own, "{host}");
        }
    }
}
