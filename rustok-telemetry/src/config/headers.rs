//! Headers of OTLP requests. Their values are secrets.

use std::fmt;

use ::http::{HeaderMap, HeaderName, HeaderValue};

use super::{ListError, debug_is_display, list::show_list, one_line, parse_pairs};

/// Headers of each OTLP request, in the order given. `Debug` and `Display` show only their names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    /// Creates headers from names and plain values.
    ///
    /// # Errors
    ///
    /// A name or value is not valid in a header, or a name is repeated.
    pub fn new<N, V>(headers: impl IntoIterator<Item = (N, V)>) -> Result<Self, HeaderError>
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut checked: Vec<(HeaderName, HeaderValue)> = Vec::new();
        for (index, (name, value)) in headers.into_iter().enumerate() {
            let position = index + 1;
            let name =
                HeaderName::try_from(name.as_ref()).map_err(|_| HeaderError::Name { position })?;
            // gRPC allows only visible ASCII, a `HeaderValue` any UTF-8.
            let value = value.as_ref();
            let visible = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            let value = HeaderValue::from_str(value).ok();
            let Some(mut value) = value.filter(|_| visible) else {
                return Err(HeaderError::Value { position, name });
            };
            if checked.iter().any(|(known, _)| *known == name) {
                return Err(HeaderError::Repeated { position, name });
            }
            value.set_sensitive(true);
            checked.push((name, value));
        }
        Ok(Self(checked))
    }

    /// Parses a list such as `api-key=abc,tenant=web`, with percent-encoded values.
    ///
    /// # Errors
    ///
    /// A pair is malformed or not valid as a header.
    pub fn parse(text: &str) -> Result<Self, HeaderError> {
        Self::new(parse_pairs(text, false)?)
    }

    /// Returns the headers as a map. The values are marked as sensitive.
    pub fn to_header_map(&self) -> HeaderMap {
        self.0.iter().cloned().collect()
    }

    /// Returns an iterator over names (in lower case) and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        // `to_str` succeeds, since every value is visible ASCII.
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// Whether there are no headers.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = |(name, _): &(HeaderName, _)| format!("{}=***", one_line(name.as_str()));
        f.write_str(&show_list(self.0.iter().map(masked)))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Headers({self})")
    }
}

/// Why headers are not valid. It contains no part of a value.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The list is malformed.
    #[error(transparent)]
    List(#[from] ListError),
    /// The name is not a header name.
    #[error("pair {position} has a name that is not a header name (letters, digits and - _ .)")]
    Name {
        /// The header's position, from 1.
        position: usize,
    },
    /// The value is not a header value.
    #[error(
        "pair {position} (`{name}`) has a value that a header cannot carry (only visible ASCII)"
    )]
    Value {
        /// The header's position, from 1.
        position: usize,
        /// Its name.
        name: HeaderName,
    },
    /// The name is repeated, perhaps in another letter case.
    #[error("pair {position} repeats the header `{name}`")]
    Repeated {
        /// The header's position, from 1.
        position: usize,
        /// Its name.
        name: HeaderName,
    },
}

debug_is_display!(HeaderError);
