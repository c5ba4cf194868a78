//! Ids as hexadecimal digits. `from_hex` of the ids themselves takes a sign and any length.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// Reads digits, none of which may be missing.
pub(super) fn number(digits: &str) -> Option<u128> {
    let all_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = || u128::from_str_radix(digits, 16).ok();
    (all_digits && digits.len() <= 32).then(number).flatten()
}

/// Writes bytes as digits, two for each.
pub(super) fn write(bytes: &[u8], digits: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, digits) in bytes.iter().zip(digits.chunks_exact_mut(2)) {
        digits[0] = DIGITS[usize::from(byte >> 4)];
        digits[1] = DIGITS[usize::from(byte & 15)];
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
    fn bytes_are_written_as_the_ids_write_themselves() {
        for id in [1, 0x0a0b_0c0d_0e0f_f00f, u64::MAX - 0xf0] {
            let id = SpanId::from(id);
            let mut digits = [b'.'; 16];
            write(&id.to_bytes(), &mut digits);
            assert_eq!(digits.as_slice(), id.to_string().as_bytes());
        }
    }
}
