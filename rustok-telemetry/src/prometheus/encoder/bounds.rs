//! Upper bounds of buckets as text, formatted once for consecutive series with the same bounds.

use std::fmt::Write;

/// The bounds of the current histogram.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    values: Vec<f64>,
    /// The concatenated texts, each up to the count in its line: `0.5"} `.
    text: String,
    ends: Vec<usize>,
}

impl Bounds {
    /// `canonical` is whether the bounds are written as OpenMetrics requires.
    pub(crate) fn set(&mut self, bounds: &[f64], canonical: bool) {
        if self
            .values
            .iter()
            .map(|bound| bound.to_bits())
            .eq(bounds.iter().map(|bound| bound.to_bits()))
        {
            return;
        }
        self.values.clear();
        self.text.clear();
        self.ends.clear();
        self.values.extend_from_slice(bounds);
        for bound in bounds {
            let _ = match canonical {
                true => push_canonical(&mut self.text, *bound),
                false => write!(self.text, "{bound}"),
            };
            self.text.push_str("\"} ");
            self.ends.push(self.text.len());
        }
    }

    /// Returns the text of each bound, up to the count in its line.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.text[start..*end])
    }

    pub(crate) fn has_infinity(&self) -> bool {
        self.values.contains(&f64::INFINITY)
    }
}

/// Writes a number like Go: `1.0`, `0.25`, `1.048576e+06`.
fn push_canonical(text: &mut String, number: f64) -> std::fmt::Result {
    if number == 0.0 || (1e-4..1e6).contains(&number.abs()) || !number.is_finite() {
        return match number == f64::INFINITY {
            true => write!(text, "+Inf"),
            false => write!(text, "{number:?}"),
        };
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    write!(text, "{mantissa}e{exponent:+03}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_bounds_are_written_like_go() {
        for (number, expected) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (-2.5, "-2.5"),
            (0.0001, "0.0001"),
            (0.000_05, "5e-05"),
            (999_999.0, "999999.0"),
            (1_048_576.0, "1.048576e+06"),
            (1e10, "1e+10"),
            (1e100, "1e+100"),
            (f64::INFINITY, "+Inf"),
        ] {
            let mut text = String::new();
            push_canonical(&mut text, number).expect("a String takes all");
            assert_eq!(text, expected);
        }
    }
}
