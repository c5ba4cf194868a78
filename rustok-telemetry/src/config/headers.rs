//! Headers of OTLP requests. Their values are secrets.

use std::fmt;

use ::http::{HeaderMap, HeaderName, HeaderValue};

use super::error::debug_is_display;
use super::list::{ListError, parse_pairs};
use super::variables::one_line;

/// Headers of each OTLP request, in the order given. `Debug` and `Display` show the names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    /// Headers from names and plain values.
    ///
    /// # Errors
    ///
    /// The first header whose name or value cannot be sent, or whose name was there before.
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
            let Some(mut value) = visible_ascii(value.as_ref()) else {
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

    /// Headers from a list such as `api-key=abc,tenant=web`, with percent-encoded values.
    ///
    /// # Errors
    ///
    /// The first pair that is malformed or cannot be sent.
    pub fn parse(text: &str) -> Result<Self, HeaderError> {
        Self::new(parse_pairs(text, false)?)
    }

    /// The headers as a map. The values are marked as sensitive.
    pub fn to_header_map(&self) -> HeaderMap {
        self.0.iter().cloned().collect()
    }

    /// Names (in lower case) and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        // Every value is visible ASCII, so `to_str` holds for all of them.
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// gRPC carries visible ASCII alone, though a `HeaderValue` would take any UTF-8.
fn visible_ascii(value: &str) -> Option<HeaderValue> {
    let visible = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    visible.then(|| HeaderValue::from_str(value).ok()).flatten()
}

impl fmt::Display for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, (name, _)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}=***", one_line(name.as_str()))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Headers({self})")
    }
}

/// Why headers cannot be sent. Holds no part of a value.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The list cannot be read.
    #[error(transparent)]
    List(#[from] ListError),
    /// Not a header name.
    #[error("pair {position} has a name that is not a header name (letters, digits and - _ .)")]
    Name {
        /// The header's place, counted from 1.
        position: usize,
    },
    /// Not a header value.
    #[error(
        "pair {position} (`{name}`) has a value that a header cannot carry (only visible ASCII)"
    )]
    Value {
        /// The header's place, counted from 1.
        position: usize,
        /// Its name.
        name: HeaderName,
    },
    /// The name was there before, perhaps in another letter case.
    #[error("pair {position} repeats the header `{name}`")]
    Repeated {
        /// The header's place, counted from 1.
        position: usize,
        /// Its name.
        name: HeaderName,
    },
}

debug_is_display!(HeaderError);
