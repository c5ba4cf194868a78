//! The deadline of a call.

use std::time::{Duration, Instant};

use http::HeaderMap;

/// Header with the time that the caller gives the call.
const TIMEOUT: &str = "grpc-timeout";

/// Maximum number of digits, by the specification.
const MAX_DIGITS: usize = 8;

/// How long before the deadline a dropped call counts as expired. A client that gives up at the deadline may be a
/// little ahead of the server, whose clock starts later.
const TOLERANCE: Duration = Duration::from_millis(20);

/// The time at which a call expires, if it has a deadline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// Returns the earlier deadline of the caller's and `timeout`.
    pub(super) fn of(headers: &HeaderMap, timeout: Option<Duration>, started: Instant) -> Self {
        let callers = headers
            .get(TIMEOUT)
            .and_then(|value| parse(value.as_bytes()));
        let shorter = callers.into_iter().chain(timeout).min();
        Self(shorter.and_then(|timeout| started.checked_add(timeout)))
    }

    /// Whether a call that ends now has expired.
    pub(super) fn has_passed(self) -> bool {
        self.0
            .is_some_and(|deadline| Instant::now() + TOLERANCE >= deadline)
    }
}

/// Parses a number with a unit, such as `100m` for milliseconds.
fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.len() > MAX_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = str::from_utf8(digits).ok()?.parse().ok()?;
    Some(match unit {
        b'H' => Duration::from_secs(number * 3_600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_parsed_as_specified() {
        let parsed = |text: &str| parse(text.as_bytes());
        assert_eq!(parsed("2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(parsed("3M"), Some(Duration::from_secs(180)));
        assert_eq!(parsed("4S"), Some(Duration::from_secs(4)));
        assert_eq!(parsed("99999999m"), Some(Duration::from_millis(99_999_999)));
        assert_eq!(parsed("5u"), Some(Duration::from_micros(5)));
        assert_eq!(parsed("6n"), Some(Duration::from_nanos(6)));
        for malformed in [
            "",
            "S",
            "5",
            "5s",
            "-5S",
            "+5S",
            "123456789S",
            "5.0S",
            " 5S",
        ] {
            assert_eq!(parsed(malformed), None, "{malformed}");
        }
    }
}
