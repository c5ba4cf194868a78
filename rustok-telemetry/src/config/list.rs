//! Lists of percent-encoded pairs: `team=web,city=Z%C3%BCrich`.

use percent_encoding::percent_decode_str;

use super::error::debug_is_display;

/// Parses `key=value,key=value`, with optional white space around keys and values.
///
/// Values are percent-decoded; keys as well if `decode_keys` is true. The first `=` of a pair separates key and value.
/// Empty list members are ignored, as in HTTP.
///
/// ```
/// use rustok_telemetry::config::parse_pairs;
///
/// let pairs = parse_pairs("team=web, city=Z%C3%BCrich,", true)?;
/// assert_eq!(pairs[1], ("city".to_owned(), "Zürich".to_owned()));
/// assert_eq!(parse_pairs("team=web,city", true).unwrap_err().position, 2);
/// # Ok::<(), rustok_telemetry::config::ListError>(())
/// ```
///
/// # Errors
///
/// A pair has no `=`, no key or a malformed escape, or repeats a key (in the same letter case). The error gives the
/// pair's position, and contains no part of the text, which may be secret.
pub fn parse_pairs(text: &str, decode_keys: bool) -> Result<Vec<(String, String)>, ListError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut positions = Vec::new();
    let members = text.split(',').zip(1..);
    for (pair, position) in members.filter(|(pair, _)| !pair.trim().is_empty()) {
        let at = |diagnostic| ListError {
            position,
            diagnostic,
        };
        let (key, value) = parse_pair(pair, decode_keys).map_err(at)?;
        if let Some(first) = pairs.iter().position(|(known, _)| *known == key) {
            let first = positions[first];
            return Err(at(ListProblem::Repeated { first }));
        }
        positions.push(position);
        pairs.push((key, value));
    }
    Ok(pairs)
}

/// Why a list is malformed, and at which pair.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("pair {position} {diagnostic}")]
#[non_exhaustive]
pub struct ListError {
    /// The pair's position in the list, from 1.
    pub position: usize,
    /// What is wrong with the pair.
    pub diagnostic: ListProblem,
}

/// What is wrong with a pair of a list.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListProblem {
    /// The pair has no `=`.
    #[error("has no `=` (a comma inside a value is written %2C)")]
    NoEquals,
    /// The key is empty.
    #[error("has no key before its `=`")]
    NoKey,
    /// A `%` is not followed by two hexadecimal digits.
    #[error("has a `%` without two hexadecimal digits after it (a plain % is written %25)")]
    BadEscape,
    /// The decoded bytes are not UTF-8.
    #[error("is not UTF-8 after percent-decoding")]
    NotUtf8,
    /// The key is repeated.
    #[error("has the same key as pair {first}")]
    Repeated {
        /// The position of the first pair with this key.
        first: usize,
    },
}

debug_is_display!(ListError, ListProblem);

/// Returns the parts separated by commas, or `none`.
pub(super) fn show_list(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    match parts.is_empty() {
        true => "none".to_owned(),
        false => parts.join(","),
    }
}

fn parse_pair(pair: &str, decode_keys: bool) -> Result<(String, String), ListProblem> {
    let (key, value) = pair.split_once('=').ok_or(ListProblem::NoEquals)?;
    let key = match decode_keys {
        true => decode(key.trim())?,
        false => key.trim().to_owned(),
    };
    if key.is_empty() {
        return Err(ListProblem::NoKey);
    }
    Ok((key, decode(value.trim())?))
}

/// Decodes strictly. The decoder of `percent_encoding` keeps malformed escapes.
fn decode(text: &str) -> Result<String, ListProblem> {
    let is_escape = |after: &str| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return Err(ListProblem::BadEscape);
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| ListProblem::NotUtf8)
}
