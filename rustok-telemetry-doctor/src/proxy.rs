//! The proxy of an `https://` URL, chosen by the same rules as the exporters choose theirs.

use std::env;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::endpoint::Address;

/// A proxy that connections go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The variable that names it.
    pub variable: &'static str,
    /// Its URL, without credentials.
    pub url: Url,
}

impl Proxy {
    /// Returns the proxy that `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` give for the host of an `https://` URL. There is
    /// none for `http://`: the exporters connect directly.
    pub fn of(url: &Url) -> Option<Self> {
        let destination = match url.scheme() {
            "https" => format!("https://{}", Address::of(url)?),
            _ => return None,
        };
        let intercept = Matcher::from_env().intercept(&destination.parse().ok()?)?;
        let variables = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];
        Some(Self {
            variable: variables.into_iter().find_map(set)?,
            url: Url::parse(&intercept.uri().to_string()).ok()?,
        })
    }

    /// Returns the cause and the remedy if an export to `url` failed because the proxy did not open a tunnel.
    pub fn rejection(&self, url: &Url, reason: &str) -> Option<(String, String)> {
        let variable = self.variable;
        let destination = Address::of(url).filter(|_| reason.contains("tunnel error"))?;
        let host = &destination.host;
        Some(match reason.contains("authorization required") {
            true => (
                format!("the proxy requires credentials, or does not accept those in {variable}"),
                format!("set {variable}=http://user:password@host:port, percent-encoded"),
            ),
            false => (
                format!("the proxy does not connect to {destination}"),
                format!("allow CONNECT to {destination} in the proxy, or add {host} to NO_PROXY"),
            ),
        })
    }
}

/// Returns a variable for proxies of `http://` URLs that is set, and without effect on the exporters.
pub fn without_effect() -> Option<&'static str> {
    let variables = [["HTTP_PROXY", "http_proxy"], ["ALL_PROXY", "all_proxy"]];
    variables.into_iter().find_map(set)
}

/// Returns the first of the names that is set, unless its value is empty.
fn set(names: [&'static str; 2]) -> Option<&'static str> {
    let (name, value) = names
        .into_iter()
        .find_map(|name| Some((name, env::var(name).ok()?)))?;
    (!value.is_empty()).then_some(name)
}
