//! `tracestate` by the grammar of W3C Trace Context Level 2.

use opentelemetry::trace::TraceState;

const MOST_MEMBERS: usize = 32;
const LONGEST: usize = 256;

/// The content of a `tracestate` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// A state that the SDK accepts. Empty for an empty or malformed header.
    Held(TraceState),
    /// A well-formed state that the SDK rejects, because a key has several `@` or more than 13 characters after one.
    Refused(String),
}

/// Reads a header. One malformed member, or more than 32 members, make the whole header malformed.
///
/// Empty members are not counted. Of members with the same key the first is kept, because it is the most recent.
pub(super) fn read(header: &str) -> State {
    match members(header) {
        Some(members) => match TraceState::from_key_value(members.iter().copied()) {
            Ok(state) => State::Held(state),
            Err(_) => State::Refused(text(members)),
        },
        None => State::Held(TraceState::NONE),
    }
}

/// Returns the members as a header value, which is empty without members.
pub(super) fn text<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (key, value) in members {
        if !text.is_empty() {
            text.push(',');
        }
        text.extend([key, "=", value]);
    }
    text
}

fn members(header: &str) -> Option<Vec<(&str, &str)>> {
    let mut members: Vec<(&str, &str)> = Vec::new();
    let mut count = 0;
    for member in header.split(',') {
        // Trims the trailing spaces of the value, but not the leading ones, which belong to it.
        let member = member.trim_matches([' ', '\t']);
        if member.is_empty() {
            continue;
        }
        let (key, value) = member.split_once('=')?;
        count += 1;
        if count > MOST_MEMBERS || !is_key(key.as_bytes()) || !is_value(value.as_bytes()) {
            return None;
        }
        if members.iter().all(|(known, _)| *known != key) {
            members.push((key, value));
        }
    }
    Some(members)
}

fn is_key(key: &[u8]) -> bool {
    let begins = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    key.len() <= LONGEST
        && key.first().is_some_and(begins)
        && key
            .iter()
            .all(|byte| begins(byte) || b"_-*/@".contains(byte))
}

/// Expects a value without trailing spaces.
fn is_value(value: &[u8]) -> bool {
    (1..=LONGEST).contains(&value.len())
        && value
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~') && !b",=".contains(byte))
}
