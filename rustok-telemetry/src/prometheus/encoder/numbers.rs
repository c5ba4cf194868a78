//! Formats numbers like `prometheus::TextEncoder`: each is converted to `f64` and displayed.

use std::fmt::Write;

use crate::metrics::store::distribution::NumberValue;

/// Up to this number an integer and its `f64` have the same text.
const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;

/// Appends a number to the text.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "the comparison detects a lossy conversion"
)]
pub(crate) fn push(text: &mut String, number: NumberValue) {
    let mut buffer = itoa::Buffer::new();
    match number {
        NumberValue::U64(number) if number <= EXACT => text.push_str(buffer.format(number)),
        NumberValue::I64(number) if number.unsigned_abs() <= EXACT => {
            text.push_str(buffer.format(number));
        }
        // -0.0 is displayed with its sign.
        NumberValue::F64(number) if number as i64 as f64 == number && number as i64 != 0 => {
            push(text, NumberValue::I64(number as i64));
        }
        number => {
            let _ = write!(text, "{}", number.as_f64());
        }
    }
}
