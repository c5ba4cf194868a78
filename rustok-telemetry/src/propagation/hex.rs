//! Ids as hexadecimal digits. `from_hex` of the ids themselves takes a sign and any length.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// Reads digits, none of which may be missing.
pub(super) fn number(digits: &str) -> Option<u128> {
    let all_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = || u128::from_str_radix(digits, 16).ok();
    (all_digits && digits.len() <= 32).then(number).flatten()
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
