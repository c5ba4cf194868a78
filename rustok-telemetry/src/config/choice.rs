//! Settings that take one name out of a set, in any letter case.

use super::variables::{nearest, one_line};

/// An enum whose values have names in the environment.
pub(super) trait Choice: Copy + PartialEq + 'static {
    /// The accepted names.
    const ACCEPTED: &'static [(&'static str, Self)];
    /// Names that the specification knows and this version refuses, each with the reason.
    const REFUSED: &'static [(&'static str, &'static str)];

    /// Returns the value with this name; otherwise why there is none.
    fn parse(text: &str) -> Result<Self, String> {
        parse_name(text, Self::ACCEPTED.iter().copied(), Self::REFUSED)
    }

    /// Returns the values with these names, separated by commas, each once, in the order given; none for `none`. Nothing
    /// between two commas or after the last one is ignored.
    fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let names = text.split(',').map(str::trim);
        let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            return Err("no name".to_owned());
        }
        let is_none = |name: &&str| name.eq_ignore_ascii_case("none");
        if names.iter().all(is_none) {
            return Ok(Vec::new());
        }
        if names.iter().any(is_none) {
            return Err("`none` cannot stand beside another name".to_owned());
        }
        let mut values = Vec::new();
        for name in names {
            let value = Self::parse(name)?;
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Ok(values)
    }

    /// Returns the name of this value.
    fn name(self) -> &'static str {
        let row = Self::ACCEPTED.iter().find(|(_, value)| *value == self);
        row.map_or("", |(name, _)| name)
    }
}

/// Returns the value with this name; otherwise why there is none.
pub(super) fn parse_name<T>(
    text: &str,
    accepted: impl Iterator<Item = (&'static str, T)> + Clone,
    refused: &[(&'static str, &'static str)],
) -> Result<T, String> {
    let name = text.trim().to_ascii_lowercase();
    if let Some((_, value)) = accepted.clone().find(|(known, _)| *known == name) {
        return Ok(value);
    }
    if let Some((known, reason)) = refused.iter().find(|(known, _)| *known == name) {
        return Err(format!(
            "`{known}` is not supported by this version: {reason}"
        ));
    }
    if name.contains(',') {
        return Err("a list, where one name is expected".to_owned());
    }
    let unknown = format!("`{}` is not a known name", one_line(text.trim()));
    Err(match nearest(&name, accepted.map(|(known, _)| known)) {
        Some(meant) => format!("{unknown}; did you mean `{meant}`?"),
        None => unknown,
    })
}

/// Writes a [`Choice`] and its `Display` for an enum.
macro_rules! choice {
    ($type:ident {
        accepted { $($name:literal => $variant:ident),* $(,)? }
        refused { $($other:literal => $reason:expr),* $(,)? }
    }) => {
        impl $crate::config::choice::Choice for $type {
            const ACCEPTED: &'static [(&'static str, Self)] = &[$(($name, Self::$variant)),*];
            const REFUSED: &'static [(&'static str, &'static str)] = &[$(($other, $reason)),*];
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::config::choice::Choice::name(*self))
            }
        }
    };
}
pub(super) use choice;
