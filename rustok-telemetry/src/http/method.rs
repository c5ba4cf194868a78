//! Methods, versions and span names for labels and attributes.

use std::borrow::Cow;

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

/// Returns the span name of the conventions: `{method} {template}`, with `HTTP` for an unknown method.
pub(super) fn span_name(method: &'static str, template: Option<&str>) -> Cow<'static, str> {
    let method = if method == OTHER { "HTTP" } else { method };
    match template {
        Some(template) => format!("{method} {template}").into(),
        None => method.into(),
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
