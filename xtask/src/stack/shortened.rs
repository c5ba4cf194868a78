//! Prometheus' rules with shorter durations, so that tests take seconds instead of minutes.
//!
//! Every duration in the committed files is divided by the same number: `for:`, `keep_firing_for:`, and in expressions
//! ranges in brackets (`[5m]`, `[1h:1m]`) and `offset`. Thresholds, names and labels stay the same.
//!
//! ```
//! let rule = "
//!   - alert: Slow
//!     expr: job:latency:p95_rate5m > 0.5 and rate(calls_total[5m] offset 1h) > 0
//!     for: 10m
//! ";
//! let shortened = "
//!   - alert: Slow
//!     expr: job:latency:p95_rate5m > 0.5 and rate(calls_total[10s] offset 120s) > 0
//!     for: 20s
//! ";
//! assert_eq!(xtask::stack::shortened::rules(rule, 30), shortened);
//! ```

use std::time::Duration;

/// The evaluation interval of shortened rules.
pub const EVALUATION_INTERVAL: Duration = Duration::from_secs(1);

/// Returns a rule file with all durations divided by `divisor`.
pub fn rules(text: &str, divisor: u32) -> String {
    let mut shortened = String::with_capacity(text.len());
    // The indentation of the key `expr` whose block continues.
    let mut expr_at = None;
    for line in text.split_inclusive('\n') {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if !content.is_empty() && expr_at.is_some_and(|at| indent <= at) {
            expr_at = None;
        }
        if content.starts_with("expr:") {
            expr_at = Some(indent);
        }
        if expr_at.is_some() {
            shortened.push_str(&expression(line, divisor));
        } else if ["for:", "keep_firing_for:"]
            .iter()
            .any(|key| content.starts_with(key))
        {
            shortened.push_str(&value(line, |text| duration(text, divisor)));
        } else {
            shortened.push_str(line);
        }
    }
    shortened
}

/// Returns `prometheus.yml` with [`EVALUATION_INTERVAL`].
pub fn configuration(text: &str) -> String {
    let interval = format!("{}s", EVALUATION_INTERVAL.as_secs());
    text.split_inclusive('\n')
        .map(|line| match line.trim_start() {
            content if content.starts_with("evaluation_interval:") => {
                value(line, |_| Some(interval.clone()))
            }
            _ => line.to_owned(),
        })
        .collect()
}

/// Returns the line `key: value` with the value that `other` returns, if any.
fn value(line: &str, other: impl Fn(&str) -> Option<String>) -> String {
    let other = line.split_once(':').and_then(|(key, value)| {
        let value = value.trim();
        Some(format!("{key}: {}\n", other(value)?))
    });
    other.unwrap_or_else(|| line.to_owned())
}

/// Returns a line of PromQL with shorter durations.
fn expression(line: &str, divisor: u32) -> String {
    let mut shortened = String::with_capacity(line.len());
    let mut rest = line;
    let mut after_offset = false;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.len(),
            '"' | '\'' | '`' => text_length(rest, first),
            '[' => rest.find(']').unwrap_or(rest.len()),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, tail) = rest.split_at(length);
        match token.strip_prefix('[') {
            Some(range) => {
                let parts: Vec<_> = range
                    .split(':')
                    .map(|part| duration(part.trim(), divisor).unwrap_or_else(|| part.to_owned()))
                    .collect();
                shortened.push('[');
                shortened.push_str(&parts.join(":"));
            }
            None => match duration(token, divisor).filter(|_| after_offset) {
                Some(shorter) => shortened.push_str(&shorter),
                None => shortened.push_str(token),
            },
        }
        // An offset may be negative.
        if !matches!(first, ' ' | '-') {
            after_offset = token == "offset";
        }
        rest = tail;
    }
    shortened
}

/// Returns whether the character belongs to a word, the name of a series or a number.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.')
}

/// Returns the length of the quoted text at the start.
fn text_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Divides a duration in Prometheus' notation; `None` if the text is not a duration. The result is never zero.
fn duration(text: &str, divisor: u32) -> Option<String> {
    let millis = (milliseconds(text)? / u64::from(divisor.max(1))).max(1);
    Some(match millis % 1000 {
        0 => format!("{}s", millis / 1000),
        _ => format!("{millis}ms"),
    })
}

fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = None;
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let unit = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let unit = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "y" => 31_536_000_000,
            _ => return None,
        };
        let part = number.parse::<u64>().ok()?.checked_mul(unit)?;
        total = Some(total.unwrap_or(0_u64).checked_add(part)?);
        rest = tail;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_divided_and_never_zero() {
        for (text, shorter) in [
            ("5m", "10s"),
            ("1h30m", "180s"),
            ("15s", "500ms"),
            ("3d", "8640s"),
            ("1ms", "1ms"),
        ] {
            assert_eq!(duration(text, 30).as_deref(), Some(shorter), "{text}");
        }
        for text in ["", "5", "m", "0.5", "rate5m", "5x", "5m:"] {
            assert_eq!(duration(text, 30), None, "{text}");
        }
    }

    #[test]
    fn nothing_but_durations_of_an_expression_changes() {
        for (line, shorter) in [
            ("sum(rate(a_total[5m]))", "sum(rate(a_total[10s]))"),
            ("a:b:rate5m / 300 > 0.5", "a:b:rate5m / 300 > 0.5"),
            (
                "sum_over_time(a:rate5m[1h:1m]) / 60",
                "sum_over_time(a:rate5m[120s:2s]) / 60",
            ),
            ("a[1h:]", "a[120s:]"),
            (
                "a offset 15m and b offset -1h",
                "a offset 30s and b offset -120s",
            ),
            (
                "a{b=~\"[5m] offset 5m\", c='\\'[5m]'}[5m]",
                "a{b=~\"[5m] offset 5m\", c='\\'[5m]'}[10s]",
            ),
            ("a[5m] # not b[5m]", "a[10s] # not b[5m]"),
        ] {
            assert_eq!(expression(line, 30), shorter);
        }
    }

    #[test]
    fn annotations_and_comments_stay() {
        let text = "
# a[5m] offset 5m
groups:
  - name: g
    rules:
      - alert: A
        expr: |
          a[5m]

          > 1
        for: 5m
        annotations:
          description: in [5m] for: 5m, offset 5m
";
        let wanted = text
            .replace("          a[5m]", "          a[10s]")
            .replace("        for: 5m", "        for: 10s");
        assert_eq!(rules(text, 30), wanted);
    }

    #[test]
    fn only_the_evaluation_interval_of_the_configuration_changes() {
        let text = "global:\n  scrape_interval: 15s\n  evaluation_interval: 15s\n";
        let wanted = "global:\n  scrape_interval: 15s\n  evaluation_interval: 1s\n";
        assert_eq!(configuration(text), wanted);
    }
}
