//! Masking of secrets in values.

/// Which part of a variable's value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Privacy {
    /// All of it.
    Open,
    /// A URL without user name, password, query and fragment.
    Url,
    /// None of it.
    Secret,
}

/// Replaces a secret.
const MASK: &str = "***";

/// Maximum number of characters of a value in a message.
const SHOWN: usize = 200;

impl Privacy {
    /// Returns the value masked, on one line, and truncated.
    pub(in crate::config) fn show(self, value: &str) -> String {
        match self {
            Self::Open => one_line(value),
            Self::Url => one_line(&mask_url(value)),
            Self::Secret => MASK.to_owned(),
        }
    }
}

/// Escapes control characters, and truncates long text.
pub(in crate::config) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars().take(SHOWN) {
        match character.is_control() {
            true => line.extend(character.escape_default()),
            false => line.push(character),
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        line.push('…');
    }
    line
}

/// Masks the possible secrets of a URL: the text before the last `@`, and a query or fragment. Invalid URLs are masked
/// too, since they may contain a password.
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
