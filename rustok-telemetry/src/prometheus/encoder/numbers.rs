//! Formats numbers like `prometheus::TextEncoder`: each is converted to `f64` and displayed.

use std::fmt::Write;

/// A number of a sample.
pub(crate) trait Number: Copy {
    /// Appends the number to the text.
    fn push(self, text: &mut String);
}

/// Up to this number an integer and its `f64` have the same text.
const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;

impl Number for u64 {
    #[allow(clippy::cast_precision_loss, reason = "Prometheus' numbers are f64")]
    fn push(self, text: &mut String) {
        match self <= EXACT {
            true => text.push_str(itoa::Buffer::new().format(self)),
            false => push_displayed(text, self as f64),
        }
    }
}

impl Number for i64 {
    #[allow(clippy::cast_precision_loss, reason = "Prometheus' numbers are f64")]
    fn push(self, text: &mut String) {
        match self.unsigned_abs() <= EXACT {
            true => text.push_str(itoa::Buffer::new().format(self)),
            false => push_displayed(text, self as f64),
        }
    }
}

impl Number for f64 {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::float_cmp,
        reason = "the comparison detects a lossy conversion"
    )]
    fn push(self, text: &mut String) {
        let whole = self as i64;
        // -0.0 is displayed with its sign.
        match whole as f64 == self && whole != 0 {
            true => whole.push(text),
            false => push_displayed(text, self),
        }
    }
}

fn push_displayed(text: &mut String, number: f64) {
    let _ = write!(text, "{number}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(number: impl Number) -> String {
        let mut text = String::new();
        number.push(&mut text);
        text
    }

    #[test]
    fn special_numbers_are_displayed_like_rust_does() {
        let special = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.1,
            1e21,
            1e300,
            1e-300,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            9_007_199_254_740_993.0,
            9_223_372_036_854_775_808.0,
            -9_223_372_036_854_775_808.0,
        ];
        for number in special {
            assert_eq!(text(number), number.to_string());
        }
        assert_eq!(text(u64::MAX), "18446744073709552000");
        assert_eq!(text(EXACT + 1), "9007199254740992");
        assert_eq!(text(i64::MIN), "-9223372036854776000");
    }

    proptest! {
        #[test]
        fn integers_have_the_text_of_their_f64(number: u64, shift in 0_u32..64) {
            let number = number >> shift;
            prop_assert_eq!(text(number), (number as f64).to_string());
            let number = number.cast_signed();
            prop_assert_eq!(text(number), (number as f64).to_string());
            prop_assert_eq!(text(number as f64), (number as f64).to_string());
        }

        #[test]
        fn floats_are_displayed_like_rust_does(number: f64) {
            prop_assert_eq!(text(number), number.to_string());
        }
    }
}
