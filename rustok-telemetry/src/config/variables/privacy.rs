//! How a value may be shown: as it is, without its secrets, or not at all.

/// What may be shown of a variable's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Privacy {
    /// All of it.
    Open,
    /// A URL: all but a user name, a password and a query.
    Url,
    /// Nothing.
    Secret,
}

/// What stands in for a secret.
pub(in crate::config) const MASK: &str = "***";

/// Values are cut to this many characters in an error.
const SHOWN: usize = 200;

impl Privacy {
    /// The value as it may be printed, on one line and not too long.
    pub(in crate::config) fn show(self, value: &str) -> String {
        match self {
            Self::Open => one_line(value),
            Self::Url => one_line(&mask_url(value)),
            Self::Secret => MASK.to_owned(),
        }
    }
}

/// The text with control characters escaped, and cut when it is very long.
pub(in crate::config) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == SHOWN {
            line.push('…');
            break;
        }
        match character.is_control() {
            true => line.extend(character.escape_default()),
            false => line.push(character),
        }
    }
    line
}

/// Masks what may be secret in a URL: what stands before the last `@`, and a query or fragment.
/// Works on text, since what is no URL may hold a password too.
pub(in crate::config) fn mask_url(text: &str) -> String {
    let (user, rest) = text.split_at(text.rfind('@').unwrap_or(0));
    let scheme = match user.split_once("://") {
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            format!("{scheme}://")
        }
        _ => String::new(),
    };
    let user = if user.is_empty() { "" } else { MASK };
    match rest.find(['?', '#']) {
        Some(query) => format!("{scheme}{user}{}{MASK}", &rest[..=query]),
        None => format!("{scheme}{user}{rest}"),
    }
}
