//! Conversion of type and variant names to snake case.

use syn::Ident;
use syn::ext::IdentExt;

/// Converts a name to snake case: `NotFound` to `not_found`, `HTTPError` to `http_error`.
pub(crate) fn of(name: &Ident) -> String {
    let name = name.unraw().to_string();
    let letters: Vec<char> = name.chars().collect();
    let mut snake_case = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|before| letters.get(before));
        let begins_word = letter.is_uppercase()
            && previous.is_some_and(|previous| {
                *previous != '_'
                    && (!previous.is_uppercase()
                        || letters
                            .get(index + 1)
                            .is_some_and(|next| next.is_lowercase()))
            });
        if begins_word {
            snake_case.push('_');
        }
        snake_case.extend(letter.to_lowercase());
    }
    snake_case
}

/// Returns whether `name` consists of lower-case words joined by `_`.
pub(crate) fn is(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('_')
        && !name.contains("__")
        && name
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

#[cfg(test)]
mod tests {
    use quote::format_ident;

    use super::{is, of};

    #[test]
    fn words_begin_with_capitals() {
        for (name, expected) in [
            ("NotFound", "not_found"),
            ("HTTPError", "http_error"),
            ("Http2Reset", "http2_reset"),
            ("Io", "io"),
            ("already_snake", "already_snake"),
        ] {
            assert_eq!(of(&format_ident!("{name}")), expected);
        }
    }

    #[test]
    fn snake_case_is_lower_case_words() {
        assert!(is("not_found") && is("http2"));
        for name in ["", "_a", "a_", "a__b", "A", "a-b", "2a"] {
            assert!(!is(name), "{name}");
        }
    }
}
