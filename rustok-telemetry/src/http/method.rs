//! Methods, versions and span names for labels and attributes.

use std::fmt;

use http::{Method, Version, request::Parts};

/// `method` of requests with an unknown method.
const OTHER: &str = "_OTHER";

/// Maximum length of an unknown method.
const MAX_METHOD: usize = 32;

/// Returns the method, or `_OTHER` if OpenTelemetry's conventions do not know it.
pub(super) fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => OTHER,
    }
}

/// The name of a request's span by the conventions: `{method} {template}`, with `HTTP` for an unknown method.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestName<'a> {
    pub(super) method: &'static str,
    pub(super) template: Option<&'a str>,
}

impl fmt::Display for RequestName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.method {
            OTHER => "HTTP",
            method => method,
        })?;
        let Some(template) = self.template else {
            return Ok(());
        };
        f.write_str(" ")?;
        f.write_str(template)
    }
}

/// Returns an unknown method, truncated.
pub(super) fn original_method<'request>(
    request: &'request Parts,
    method: &str,
) -> Option<&'request str> {
    let original = request.method.as_str();
    // A method is ASCII.
    (original != method).then(|| original.get(..MAX_METHOD).unwrap_or(original))
}

pub(super) fn protocol_version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}
