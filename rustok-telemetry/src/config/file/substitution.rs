//! Substitution of `${NAME}` by environment variables.
//!
//! The rules are those of the specification's "Configuration Data Model": `${NAME}` and `${env:NAME}`, with
//! `${NAME:-default}` for a variable that is not set or empty; without a default it is replaced by empty text; `$$` is a
//! plain `$`. Substituted text is not substituted again.

/// Returns the text with all references replaced.
///
/// # Errors
///
/// A reference is malformed.
pub(super) fn substitute(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        result.push_str(before);
        if let Some(after) = from.strip_prefix("$$") {
            result.push('$');
            rest = after;
        } else if let Some(inside) = from.strip_prefix("${") {
            let end = inside.find('}').unwrap_or(inside.len());
            let reference = &inside[..end];
            let value = resolve(reference, variable).ok_or_else(|| {
                format!(
                    "`${{{reference}}}` is no reference to a variable: write ${{NAME}} or ${{NAME:-default}}, and $$ for \
                     a plain $"
                )
            })?;
            result.push_str(&value);
            rest = inside.get(end + 1..).unwrap_or_default();
        } else {
            result.push('$');
            rest = &from[1..];
        }
    }
    result.push_str(rest);
    Ok(result)
}

fn resolve(reference: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let reference = reference.strip_prefix("env:").unwrap_or(reference);
    let (name, default) = reference.split_once(":-").unwrap_or((reference, ""));
    let is_name = !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == b'_');
    if name.is_empty() || !is_name || default.contains('\n') {
        return None;
    }
    let value = variable(name).filter(|value| !value.is_empty());
    Some(value.unwrap_or_else(|| default.to_owned()))
}
