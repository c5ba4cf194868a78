//! Parsers of single values. What is wrong comes back as text for [`Diagnostic`](super::Diagnostic).

use std::ops::RangeInclusive;
use std::time::Duration;

/// Whole numbers go up to this: the range that the specification asks for.
pub(super) const LARGEST: u32 = i32::MAX as u32;

/// The specification's boolean, except that a value that is neither true nor false is wrong.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("neither true nor false".to_owned()),
    }
}

/// Text that must not be blank; white space around it does not count.
pub(super) fn text(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("only white space".to_owned()),
        trimmed => Ok(trimmed.to_owned()),
    }
}

/// A whole number within `range`.
pub(super) fn integer(text: &str, range: RangeInclusive<u32>) -> Result<u32, String> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("not a whole number".to_owned());
    }
    match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("not between {} and {}", range.start(), range.end())),
    }
}

/// A number of items, 0 included.
pub(super) fn count(text: &str) -> Result<u32, String> {
    integer(text, 0..=LARGEST)
}

/// Milliseconds, not 0.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    milliseconds(text, 1..=LARGEST)
}

/// Milliseconds, of which 0 means that there is no limit (`None`).
pub(super) fn timeout(text: &str) -> Result<Option<Duration>, String> {
    let duration = milliseconds(text, 0..=LARGEST)?;
    Ok((!duration.is_zero()).then_some(duration))
}

/// A number from 0 to 1.
pub(super) fn ratio(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        Ok(number) if number.is_finite() => Err("not between 0 and 1".to_owned()),
        _ => Err("not a number".to_owned()),
    }
}

fn milliseconds(text: &str, range: RangeInclusive<u32>) -> Result<Duration, String> {
    let hint = "; write plain milliseconds, such as 5000 for 5 seconds";
    match integer(text, range) {
        Ok(number) => Ok(Duration::from_millis(u64::from(number))),
        Err(why) if has_unit(text) => Err(why + hint),
        Err(why) => Err(why),
    }
}

/// Whether it looks like `5s` or `500 ms`.
fn has_unit(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(|first: char| first.is_ascii_digit())
        && text.ends_with(|last: char| last.is_ascii_alphabetic())
}
