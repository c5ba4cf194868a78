//! Lists of percent-encoded pairs: `team=web,city=Z%C3%BCrich`.

use percent_encoding::percent_decode_str;

use super::error::debug_is_display;

/// Parses `key=value,key=value`, with white space around keys and values allowed.
///
/// The values are percent-decoded; so are the keys when `decode_keys` says so. A value may hold `=`
/// (the first one separates). Nothing between two commas or after the last one is ignored, as in any
/// list of HTTP. Every pair must be whole: a pair without `=`, a bad escape and a key that is given
/// twice (in the same letter case) are errors, which tell the pair by its position. An error holds no
/// part of the text, since the text may be secret.
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
/// The first pair that is malformed.
pub fn parse_pairs(text: &str, decode_keys: bool) -> Result<Vec<(String, String)>, ListError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut positions = Vec::new();
    for (index, pair) in text.split(',').enumerate() {
        let at = |diagnostic| ListError {
            position: index + 1,
            diagnostic,
        };
        if pair.trim().is_empty() {
            continue;
        }
        let (key, value) = parse_pair(pair.trim(), decode_keys).map_err(at)?;
        if let Some(first) = pairs.iter().position(|(known, _)| *known == key) {
            return Err(at(ListProblem::Repeated {
                first: positions[first],
            }));
        }
        positions.push(index + 1);
        pairs.push((key, value));
    }
    Ok(pairs)
}

/// Why a list cannot be read: which pair, counted from 1, and what is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("pair {position} {diagnostic}")]
pub struct ListError {
    /// The pair's place among the commas. The first is 1.
    pub position: usize,
    /// What is wrong with it.
    pub diagnostic: ListProblem,
}

/// What is wrong with one pair of a list.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListProblem {
    /// No `=`.
    #[error("has no `=` (a comma inside a value is written %2C)")]
    NoEquals,
    /// Nothing before the `=`.
    #[error("has no key before its `=`")]
    NoKey,
    /// A `%` that two hexadecimal digits do not follow.
    #[error("has a `%` without two hexadecimal digits after it (a plain % is written %25)")]
    BadEscape,
    /// The decoded bytes are not UTF-8.
    #[error("is not UTF-8 after percent-decoding")]
    NotUtf8,
    /// The key was there before.
    #[error("has the same key as pair {first}")]
    Repeated {
        /// The earlier pair's place.
        first: usize,
    },
}

debug_is_display!(ListError, ListProblem);

/// Returns the parts separated by commas, or `none`.
pub(super) fn show_list(parts: impl Iterator<Item = impl Into<String>>) -> String {
    let parts: Vec<String> = parts.map(Into::into).collect();
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

/// Strict percent-decoding: the decoder of the crate leaves bad escapes as they are.
fn decode(text: &str) -> Result<String, ListProblem> {
    let escapes = text.split('%').skip(1);
    if escapes
        .into_iter()
        .any(|after| !starts_with_two_digits(after))
    {
        return Err(ListProblem::BadEscape);
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| ListProblem::NotUtf8)
}

fn starts_with_two_digits(text: &str) -> bool {
    let digits = text.as_bytes().get(..2);
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}
