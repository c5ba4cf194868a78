//! Reading headers from a carrier: repeated headers are joined, and single ones are borrowed.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue};
use opentelemetry::propagation::Extractor;

/// A name that no header has. A carrier that returns a value for it has no repeated names, so [`Extractor::get`]
/// returns complete values. Other carriers are read by [`Extractor::get_all`], which allocates.
const NONE_REPEATED: &str = "";

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
        self.headers.get(name).map(text)
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use opentelemetry_http::HeaderExtractor;

    use super::*;

    fn headers(lines: &[(&'static str, &'static [u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value).expect("a value"));
        }
        headers
    }

    #[test]
    fn repeated_headers_are_joined_in_their_order() {
        let repeated = headers(&[("a", b"1"), ("b", b"2"), ("a", b""), ("a", b"3")]);
        for carrier in [
            &Incoming::new(&repeated) as &dyn Extractor,
            &HeaderExtractor(&repeated),
        ] {
            assert_eq!(value(carrier, "a").as_deref(), Some("1,,3"));
            assert_eq!(value(carrier, "b").as_deref(), Some("2"));
            assert_eq!(value(carrier, "c"), None);
        }
    }

    #[test]
    fn a_single_header_is_borrowed() {
        let single = headers(&[("a", b"1"), ("b", b"2")]);
        let map = HashMap::from([("a".to_owned(), "1".to_owned())]);
        for carrier in [
            &Incoming::new(&single) as &dyn Extractor,
            &HeaderExtractor(&single),
            &map,
        ] {
            assert!(matches!(value(carrier, "A"), Some(Cow::Borrowed("1"))));
            assert_eq!(value(carrier, "c"), None);
        }
    }

    #[test]
    fn an_unreadable_value_is_not_skipped() {
        let unreadable = headers(&[("a", b"1"), ("a", b"\xff"), ("b", b"\xff")]);
        let carrier = Incoming::new(&unreadable);
        assert_eq!(value(&carrier, "a").as_deref(), Some("1,\u{FFFD}"));
        assert_eq!(value(&carrier, "b").as_deref(), Some(UNREADABLE));
    }
}
