//! Ids as hexadecimal digits. `from_hex` of the ids themselves takes a sign and any length.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// Reads digits, none of which may be missing.
pub(super) fn number(digits: &str) -> Option<u128> {
    let all_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = || u128::from_str_radix(digits, 16).ok();
    (all_digits && digits.len() <= 32).then(number).flatten()
}

/// Reads digits of which none is in upper case, and none is missing.
pub(super) fn lower_case(digits: &str) -> Option<u128> {
    let mut number = 0;
    for digit in digits.bytes() {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        number = (number << 4) | u128::from(value);
    }
    (1..=32).contains(&digits.len()).then_some(number)
}

/// Appends bytes as digits, two for each.
pub(super) fn push(bytes: &[u8], text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// The caller's span, if both ids are valid.
pub(super) fn caller(trace_id: u128, span_id: u128, sampled: bool) -> Option<SpanContext> {
    let flags = TraceFlags::default().with_sampled(sampled);
    let span_id = u64::try_from(span_id).ok()?;
    let caller = SpanContext::new(
        TraceId::from(trace_id),
        SpanId::from(span_id),
        flags,
        true,
        TraceState::default(),
    );
    caller.is_valid().then_some(caller)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_ids_themselves() {
        for id in [1, 0x0a0b_0c0d_0e0f_f00f, u64::MAX - 0xf0] {
            let mut text = String::new();
            push(&SpanId::from(id).to_bytes(), &mut text);
            assert_eq!(text, SpanId::from(id).to_string());
            assert_eq!(lower_case(&text), Some(u128::from(id)));
        }
        for wrong in ["", "A", "+1", "g", "1 "] {
            assert_eq!(lower_case(wrong), None, "{wrong}");
        }
    }
}
