//! Pairs of the file as the lists that variables hold.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in a list as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'/');

/// `name=value`, with the value (and, for attributes, the name) percent-encoded.
pub(super) fn pair(name: &str, value: &str, encode_name: bool) -> String {
    let value = utf8_percent_encode(value, ENCODED);
    match encode_name {
        true => format!("{}={value}", utf8_percent_encode(name, ENCODED)),
        false => format!("{name}={value}"),
    }
}
