//! Suggestions for misspelt names.

/// Maximum number of edits between a misspelt name and its suggestion.
const MAX_EDITS: usize = 2;

/// Returns the variable that is at most two edits away from `name`.
pub(in crate::config) fn nearest_variable(name: &str) -> Option<&'static str> {
    nearest(name, super::all().map(|variable| variable.name))
}

/// Returns the candidate nearest to `text`, if it is at most two edits away and not `text` itself.
pub(in crate::config) fn nearest(
    text: &str,
    candidates: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    candidates
        .map(|candidate| (strsim::levenshtein(text, candidate), candidate))
        .filter(|(distance, candidate)| {
            (1..=MAX_EDITS).contains(distance) && candidate.len() > MAX_EDITS + 1
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
