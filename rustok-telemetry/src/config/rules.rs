//! How the value of a setting is parsed, checked and shown.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use super::{
    choice::Choice,
    endpoint::Endpoint,
    headers::Headers,
    list::{parse_pairs, show_list},
};

/// Whole numbers go up to this: the range that the specification asks for.
pub(super) const LARGEST: u32 = i32::MAX as u32;

/// A type with one usual way to be written in a variable.
pub(super) trait Value: Sized {
    /// Returns the value that the text stands for, or why it stands for none.
    fn parse(text: &str) -> Result<Self, String>;

    /// Returns why a value that was set in code cannot be used.
    fn check(&self) -> Option<String> {
        None
    }

    /// Returns the text of the report.
    fn show(&self) -> String;
}

type Parse<'a, T> = Box<dyn Fn(&str) -> Result<T, String> + 'a>;
type Check<'a, T> = Box<dyn Fn(&T) -> Option<String> + 'a>;

/// How one setting is parsed, checked and shown: as its type says, except what is set here.
pub(super) struct Rules<'a, T> {
    pub(super) parse: Parse<'a, T>,
    pub(super) check: Check<'a, T>,
    pub(super) show: Box<dyn Fn(&T) -> String + 'a>,
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

    pub(super) fn parse(self, parse: impl Fn(&str) -> Result<T, String> + 'a) -> Self {
        let parse = Box::new(parse);
        Self { parse, ..self }
    }

    pub(super) fn check(self, check: impl Fn(&T) -> Option<String> + 'a) -> Self {
        let check = Box::new(check);
        Self { check, ..self }
    }

    pub(super) fn show(self, show: impl Fn(&T) -> String + 'a) -> Self {
        let show = Box::new(show);
        Self { show, ..self }
    }
}

impl<'a, T: Value + 'a> Rules<'a, Option<T>> {
    /// Returns the rules of an optional value. The report shows `unset` for `None`.
    pub(super) fn optional(unset: &'a str) -> Self {
        let show = |value: &Option<T>| value.as_ref().map_or_else(|| unset.to_owned(), T::show);
        Self::of(|text| T::parse(text).map(Some), show)
    }
}

/// Returns the rules of a limit of time. 0 and `None` are no limit.
pub(super) fn timeout() -> Rules<'static, Option<Duration>> {
    Rules::optional("no limit").parse(|text| {
        let duration = milliseconds(text, 0..=LARGEST)?;
        Ok((!duration.is_zero()).then_some(duration))
    })
}

impl Value for bool {
    /// The specification takes any other text for false; here it is an error.
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("neither true nor false".to_owned()),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// Text that must not be blank; surrounding white space is removed.
impl Value for String {
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" => Err("only white space".to_owned()),
            trimmed => Ok(trimmed.to_owned()),
        }
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Value for u32 {
    fn parse(text: &str) -> Result<Self, String> {
        integer(text, 0..=LARGEST)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for u16 {
    fn parse(text: &str) -> Result<Self, String> {
        let number = integer(text, 0..=u32::from(Self::MAX))?;
        Self::try_from(number).map_err(|error| error.to_string())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// Milliseconds, at least 1.
impl Value for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        milliseconds(text, 1..=LARGEST)
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

impl Value for Headers {
    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for Endpoint {
    fn parse(text: &str) -> Result<Self, String> {
        Self::exact(text).map_err(|error| error.to_string())
    }

    fn show(&self) -> String {
        self.to_string()
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
        <T as Choice>::parse(text)
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

impl<T: Choice> Value for Vec<T> {
    fn parse(text: &str) -> Result<Self, String> {
        T::parse_list(text)
    }

    fn show(&self) -> String {
        show_list(self.iter().map(|value| value.name()))
    }
}

/// Returns the whole number within `range` that the text stands for.
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

fn milliseconds(text: &str, range: RangeInclusive<u32>) -> Result<Duration, String> {
    let text = text.trim();
    let has_unit = text.starts_with(|first: char| first.is_ascii_digit())
        && text.ends_with(|last: char| last.is_ascii_alphabetic());
    match integer(text, range) {
        Ok(number) => Ok(Duration::from_millis(u64::from(number))),
        Err(why) if has_unit => Err(why + "; write plain milliseconds, such as 5000 for 5 seconds"),
        Err(why) => Err(why),
    }
}
