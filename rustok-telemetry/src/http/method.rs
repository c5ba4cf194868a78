//! Methods and versions as values of labels and attributes, and the names that spans have from them.

use std::borrow::Cow;

use http::{Method, Version, request::Parts};

/// `method` of requests whose method no convention knows.
const OTHER: &str = "_OTHER";

/// Letters that are kept of such a method.
const MAX_METHOD: usize = 32;

/// The method, if it is one that OpenTelemetry's conventions know.
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

/// The name that the conventions give to a span: the method, which is called HTTP there if it is unknown, and the
/// template of the route or of the URL.
pub(super) fn span_name(method: &'static str, template: Option<&str>) -> Cow<'static, str> {
    let method = if method == OTHER { "HTTP" } else { method };
    match template {
        Some(template) => format!("{method} {template}").into(),
        None => method.into(),
    }
}

/// A method that no convention knows, cut to a length that does no harm.
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
