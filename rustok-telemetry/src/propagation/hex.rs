//! Ids as hexadecimal digits. Reading is strict: `TraceId::from_hex` accepts a sign and any number of digits.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// Reads 1 to 32 digits of either case.
pub(super) fn number(digits: &str) -> Option<u128> {
    let is_number = digits.len() <= 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_number
        .then(|| u128::from_str_radix(digits, 16).ok())
        .flatten()
}

/// Reads 1 to 32 digits in lower case.
pub(super) fn lower_case(digits: &str) -> Option<u128> {
    let has_upper_case = digits.bytes().any(|digit| digit.is_ascii_uppercase());
    number(digits).filter(|_| !has_upper_case)
}

/// Appends two digits for each byte.
pub(super) fn push(bytes: &[u8], text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// Returns the remote span context with these ids, or `None` if one of them is 0 or the span id exceeds 64 bits.
pub(super) fn remote_span(trace_id: u128, span_id: u128, flags: TraceFlags) -> Option<SpanContext> {
    let span_id = SpanId::from(u64::try_from(span_id).ok()?);
    let span = SpanContext::new(
        TraceId::from(trace_id),
        span_id,
        flags,
        true,
        TraceState::NONE,
    );
    span.is_valid().then_some(span)
}
