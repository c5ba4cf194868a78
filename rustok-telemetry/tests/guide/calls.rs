//! Finds calls of `metrics::…` in a text.

use std::collections::BTreeSet;

/// Every call of `metrics::…`, without white space, to the parenthesis that closes it.
pub(crate) fn of(text: &str) -> BTreeSet<String> {
    text.match_indices("metrics::")
        .filter_map(|(at, _)| call(&text[at..]))
        .collect()
}

fn call(text: &str) -> Option<String> {
    let open = text.find('(')?;
    let name = &text[..open];
    if !name
        .chars()
        .all(|c| c.is_alphanumeric() || c == '_' || c == ':')
    {
        return None;
    }
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => {
                let call = &text[..=at];
                // A trailing comma is the formatter's.
                let call: String = call.chars().filter(|c| !c.is_whitespace()).collect();
                return Some(call.replace(",)", ")"));
            }
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}
