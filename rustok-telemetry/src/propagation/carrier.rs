//! Reading headers from a carrier: repeated headers are joined, and single ones are borrowed.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::Extractor;

use super::{baggage, trace_context};

/// A name that no header has. A carrier that returns a value for it has no repeated names, so [`Extractor::get`]
/// returns complete values. Other carriers are read by [`Extractor::get_all`], which allocates.
const NONE_REPEATED: &str = "";

/// The usual headers, whose names are not parsed for each request.
static USUAL: [HeaderName; 3] = [
    HeaderName::from_static(trace_context::PARENT),
    HeaderName::from_static(trace_context::STATE),
    HeaderName::from_static(baggage::HEADER),
];

/// Replaces a value that is not UTF-8. Malformed in every format.
const UNREADABLE: &str = "\u{FFFD}";

/// Returns the value of a header. The values of a repeated header are joined with commas, in order ([RFC 9110, 5.3]):
/// lists continue, and any other header becomes malformed.
///
/// [RFC 9110, 5.3]: https://www.rfc-editor.org/rfc/rfc9110#section-5.3
pub(super) fn value<'a>(carrier: &'a dyn Extractor, name: &str) -> Option<Cow<'a, str>> {
    if carrier.get(NONE_REPEATED).is_some() {
        return carrier.get(name).map(Cow::Borrowed);
    }
    match carrier.get_all(name)?.as_slice() {
        [] => None,
        [value] => Some(Cow::Borrowed(value)),
        values => Some(Cow::Owned(values.join(","))),
    }
}

/// The value of a missing header in a carrier without repeated names: `None` except for [`NONE_REPEATED`].
pub(super) fn none_repeated(name: &str) -> Option<&'static str> {
    (name == NONE_REPEATED).then_some("")
}

/// The headers of an incoming request.
pub(super) struct Incoming<'a> {
    headers: &'a HeaderMap,
    has_repeated: bool,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(headers: &'a HeaderMap) -> Self {
        Self {
            headers,
            has_repeated: headers.len() != headers.keys_len(),
        }
    }
}

impl Extractor for Incoming<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        if name == NONE_REPEATED {
            return (!self.has_repeated).then_some("");
        }
        let known = USUAL.iter().find(|known| known.as_str() == name);
        let value = match known {
            Some(known) => self.headers.get(known),
            None => self.headers.get(name),
        };
        value.map(text)
    }

    fn keys(&self) -> Vec<&str> {
        self.headers.keys().map(http::HeaderName::as_str).collect()
    }

    fn get_all(&self, name: &str) -> Option<Vec<&str>> {
        let values: Vec<_> = self.headers.get_all(name).iter().map(text).collect();
        (!values.is_empty()).then_some(values)
    }
}

fn text(value: &HeaderValue) -> &str {
    str::from_utf8(value.as_bytes()).unwrap_or(UNREADABLE)
}
