//! `tracestate` by the grammar of W3C Trace Context Level 2.

use opentelemetry::trace::TraceState;

const MOST_MEMBERS: usize = 32;
const LONGEST: usize = 256;

/// What a `tracestate` header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// As the SDK keeps it; also where the header is absent, empty or malformed.
    Held(TraceState),
    /// Well-formed, but the SDK refuses a key of it: one with several `@`, or with more than 13 characters behind it.
    Refused(String),
}

/// Reads a header. It is malformed as a whole if one member is, or if it has more than 32.
///
/// Empty members are not counted. Of members with the same key the first is kept, which is the latest position in the
/// trace.
pub(super) fn read(header: &str) -> State {
    match members(header) {
        Some(members) => match TraceState::from_key_value(members.iter().copied()) {
            Ok(state) => State::Held(state),
            Err(_) => State::Refused(text(members)),
        },
        None => State::Held(TraceState::NONE),
    }
}

/// Members as a header has them. Empty if there are none.
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
        // Spaces at the end of a value do not belong to it, those at its beginning do.
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

/// What ends it is no space: that is trimmed before.
fn is_value(value: &[u8]) -> bool {
    (1..=LONGEST).contains(&value.len())
        && value
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~') && !b",=".contains(byte))
}
