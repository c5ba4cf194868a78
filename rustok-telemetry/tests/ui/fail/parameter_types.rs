//! Labels are `&str`, enums or `impl LabelValue`, values are `u64`, `i64` or `f64`.

use std::borrow::Cow;
use std::time::Duration;

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    use super::*;

    /// Text.
    #[counter(name = "text_total")]
    pub fn text(a: String, b: &String, c: Cow<'_, str>, d: &mut str, e: char);

    /// Others.
    #[counter(name = "others_total")]
    pub fn others(
        a: &[u8],
        b: bool,
        c: Option<&str>,
        d: &u64,
        e: Duration,
        f: impl ToString,
        g: (u64, u64),
    );

    /// Patterns.
    #[counter(name = "patterns_total")]
    pub fn patterns(_: &str, mut b: &str);
}

fn main() {}
