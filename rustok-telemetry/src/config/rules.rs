//! How the value of a setting is parsed, checked and shown.

use std::{fmt::Display, ops::RangeInclusive, path::PathBuf, str::FromStr, time::Duration};

use super::{Endpoint, Headers, choice::Choice, choice::parse_name, list::show_list, parse_pairs};

/// The largest whole number that the specification requires.
pub(super) const LARGEST: u32 = i32::MAX as u32;

/// A type with one usual way to be written in a variable.
pub(super) trait Value: Sized {
    /// Parses the text. The error is the reason why the text is invalid.
    fn parse(text: &str) -> Result<Self, String>;

    /// Returns why a value that was set in code cannot be used.
    fn check(&self) -> Option<String> {
        None
    }

    /// Returns the text of the report.
    fn show(&self) -> String;
}

type Function<'a, In, Out> = Box<dyn Fn(&In) -> Out + 'a>;

/// How one setting is parsed, checked and shown: by its [`Value`] implementation, unless overridden here.
pub(super) struct Rules<'a, T> {
    pub(super) parse: Function<'a, str, Result<T, String>>,
    pub(super) check: Function<'a, T, Option<String>>,
    pub(super) show: Function<'a, T, String>,
}

impl<'a, T> Rules<'a, T> {
    /// Returns the rules of the type.
    pub(super) fn new() -> Self
    where
        T: Value + 'a,
    {
        Self::of(T::parse, T::show).check(T::check)
    }

    /// Returns rules that check nothing.
    pub(super) fn of(
        parse: impl Fn(&str) -> Result<T, String> + 'a,
        show: impl Fn(&T) -> String + 'a,
    ) -> Self {
        Self {
            parse: Box::new(parse),
            check: Box::new(|_| None),
            show: Box::new(show),
        }
    }

    pub(super) fn parse(mut self, parse: impl Fn(&str) -> Result<T, String> + 'a) -> Self {
        self.parse = Box::new(parse);
        self
    }

    pub(super) fn check(mut self, check: impl Fn(&T) -> Option<String> + 'a) -> Self {
        self.check = Box::new(check);
        self
    }
}

impl<'a, T: Value + 'a> Rules<'a, Option<T>> {
    /// Returns the rules of an optional value. The report shows `unset` for `None`.
    pub(super) fn optional(unset: &'a str) -> Self {
        let show = |value: &Option<T>| value.as_ref().map_or_else(|| unset.to_owned(), T::show);
        Self::of(|text| T::parse(text).map(Some), show)
    }
}

/// Returns the rules of a maximum duration. 0 and `None` mean no limit.
pub(super) fn timeout() -> Rules<'static, Option<Duration>> {
    Rules::optional("no limit").parse(|text| {
        let duration = milliseconds(text, 0)?;
        Ok((!duration.is_zero()).then_some(duration))
    })
}

/// Implements [`Value`] for types that the report shows by `Display`.
macro_rules! values {
    (|$text:ident| $($type:ty: $parsed:expr,)*) => {$(
        impl Value for $type {
            fn parse($text: &str) -> Result<Self, String> {
                $parsed
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

values! { |text|
    // The specification reads any other text as false; here it is an error.
    bool: match text.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("neither true nor false".to_owned()),
    },
    String: match text.trim() {
        "" => Err("only white space".to_owned()),
        trimmed => Ok(trimmed.to_owned()),
    },
    u16: integer(text, 0..=u16::MAX),
    u32: integer(text, 0..=LARGEST),
    u64: integer(text, 0..=u64::MAX),
    Headers: Self::parse(text).map_err(|error| error.to_string()),
    Endpoint: Self::exact(text).map_err(|error| error.to_string()),
}

/// Milliseconds, at least 1.
impl Value for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        milliseconds(text, 1)
    }

    fn check(&self) -> Option<String> {
        self.is_zero().then(|| "not more than 0".to_owned())
    }

    fn show(&self) -> String {
        format!("{} ms", self.as_millis())
    }
}

impl Value for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

/// Resource attributes.
impl Value for Vec<(String, String)> {
    fn parse(text: &str) -> Result<Self, String> {
        let pairs = parse_pairs(text, true).map_err(|error| error.to_string())?;
        let nameless =
            |(key, value): &(String, String)| key == "service.name" && value.trim().is_empty();
        match pairs.iter().position(nameless) {
            Some(index) => Err(format!("pair {} gives service.name no value", index + 1)),
            None => Ok(pairs),
        }
    }

    fn show(&self) -> String {
        show_list(self.iter().map(|(key, value)| format!("{key}={value}")))
    }
}

impl<T: Choice> Value for T {
    fn parse(text: &str) -> Result<Self, String> {
        parse_name(text, T::ACCEPTED, T::REFUSED)
    }

    fn check(&self) -> Option<String> {
        self.disabled().map(str::to_owned)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl<T: Choice> Value for Vec<T> {
    fn parse(text: &str) -> Result<Self, String> {
        T::parse_list(text)
    }

    fn check(&self) -> Option<String> {
        let mut disabled: Vec<_> = self.iter().filter_map(|value| value.disabled()).collect();
        disabled.sort_unstable();
        disabled.dedup();
        (!disabled.is_empty()).then(|| disabled.join("; "))
    }

    fn show(&self) -> String {
        show_list(self.iter().map(T::to_string))
    }
}

/// Returns the whole number of this text, if it is within `range`.
pub(super) fn integer<N>(text: &str, range: RangeInclusive<N>) -> Result<N, String>
where
    N: Display + FromStr + PartialOrd,
{
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

fn milliseconds(text: &str, least: u32) -> Result<Duration, String> {
    let text = text.trim();
    let has_unit = text.starts_with(|first: char| first.is_ascii_digit())
        && text.ends_with(|last: char| last.is_ascii_alphabetic());
    match integer(text, least..=LARGEST) {
        Ok(number) => Ok(Duration::from_millis(u64::from(number))),
        Err(why) if has_unit => Err(why + "; write plain milliseconds, such as 5000 for 5 seconds"),
        Err(why) => Err(why),
    }
}
