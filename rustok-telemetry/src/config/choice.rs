//! Settings that take one name out of a set, in any letter case.

use std::{fmt::Display, mem::discriminant};

use super::variables::{one_line, suggestion};

/// An enum whose values have names in the environment.
pub(super) trait Choice: Copy + Display + PartialEq + 'static {
    /// The accepted names.
    const ACCEPTED: &'static [(&'static str, Self)];
    /// Names that the specification knows and this version refuses, each with the reason.
    const REFUSED: &'static [(&'static str, &'static str)];

    /// Returns why this value cannot be used, if it is disabled at compile time.
    fn disabled(self) -> Option<&'static str> {
        None
    }

    /// Returns the name of this value's variant.
    fn name(self) -> &'static str {
        let variant = discriminant(&self);
        let mut rows = Self::ACCEPTED.iter();
        let row = rows.find(|(_, value)| discriminant(value) == variant);
        row.map_or("", |(name, _)| name)
    }

    /// Returns the values with these names, separated by commas, each once, in the order given; none for `none`. Empty
    /// list members are ignored.
    fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let names = text.split(',').map(str::trim);
        let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
        let is_none = |name: &&str| name.eq_ignore_ascii_case("none");
        if names.is_empty() {
            return Err("no name".to_owned());
        } else if names.iter().all(is_none) {
            return Ok(Vec::new());
        } else if names.iter().any(is_none) {
            return Err("`none` cannot stand beside another name".to_owned());
        }
        let mut values = Vec::new();
        for name in names {
            let value = parse_name(name, Self::ACCEPTED, Self::REFUSED)?;
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Ok(values)
    }
}

/// Returns the value with this name, or why there is none.
pub(super) fn parse_name<T: Copy>(
    text: &str,
    accepted: &[(&'static str, T)],
    refused: &[(&'static str, &'static str)],
) -> Result<T, String> {
    let name = text.trim().to_ascii_lowercase();
    if let Some((_, value)) = accepted.iter().find(|(known, _)| *known == name) {
        return Ok(*value);
    }
    if let Some((_, reason)) = refused.iter().find(|(known, _)| *known == name) {
        let why = format!("`{name}` is not supported by this version: {reason}");
        return Err(why);
    }
    if name.contains(',') {
        return Err("a list, where one name is expected".to_owned());
    }
    let suggestion = suggestion(&name, accepted.iter().map(|(known, _)| *known));
    let shown = one_line(text.trim());
    Err(format!("`{shown}` is not a known name{suggestion}"))
}

/// Declares an enum of settings with the names of its variants, and `["part", "feature"]` behind those that need a Cargo
/// feature.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        pub enum $type:ident {
            $($(#[$variant_meta:meta])* $name:literal => $variant:ident $([$part:literal, $feature:literal])?,)*
        }
        refused { $($other:literal => $reason:expr,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $type {
            $($(#[$variant_meta])* $variant,)*
        }

        impl $crate::config::choice::Choice for $type {
            const ACCEPTED: &'static [(&'static str, Self)] = &[$(($name, Self::$variant)),*];
            const REFUSED: &'static [(&'static str, &'static str)] = &[$(($other, $reason)),*];

            fn disabled(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => $crate::config::choice::disabled!($($part, $feature)?),)*
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::config::choice::Choice::name(*self))
            }
        }
    };
}
pub(super) use choice;

/// Says why a part cannot be used, if its Cargo feature is off.
macro_rules! disabled {
    () => {
        None
    };
    ($part:literal, $feature:literal) => {
        match cfg!(feature = $feature) {
            true => None,
            false => Some(concat!(
                $part,
                " is disabled in this build: turn on the Cargo feature `",
                $feature,
                "` of rustok-telemetry"
            )),
        }
    };
}
pub(super) use disabled;
