//! The table of variables: every `OTEL_*` name of the specification and those of this library, what each means, and
//! whether this version honours it.
//!
//! Errors, the report and the documentation read this table. Other names are either misspelt ([`nearest`]) or unknown.

mod privacy;
#[rustfmt::skip]
mod table;

pub(super) use privacy::{Privacy, mask_url, one_line};
pub use table::SECTIONS;
pub(super) use table::{LOG_FILTER, SPOOL_DIR, STRICT};

/// A part of the table, as the specification divides it.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// The heading, such as `Batch span processor`.
    pub title: &'static str,
    /// Its variables, in the order of the specification.
    pub variables: &'static [Variable],
}

/// One environment variable.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// The name, such as `OTEL_SERVICE_NAME`.
    pub name: &'static str,
    /// The value if it is unset, in words.
    pub default: &'static str,
    /// The values that are accepted, in words.
    pub allowed: &'static str,
    /// What it sets, in one line.
    pub meaning: &'static str,
    /// Whether this version honours it.
    pub status: Status,
    pub(super) privacy: Privacy,
}

/// What this version does with a variable that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It takes effect.
    Honoured,
    /// It is an error, for this reason.
    Refused(&'static str),
}

/// Returns the name that consists of these parts, which the table must contain.
pub(super) fn table_name(parts: &[&str]) -> &'static str {
    let name = parts.concat();
    let variable = find_variable(&name);
    debug_assert!(variable.is_some(), "{name} is not in the table");
    variable.map_or("", |variable| variable.name)
}

/// Returns the row of the variable `name`, if the table has it.
pub fn find_variable(name: &str) -> Option<&'static Variable> {
    all().find(|variable| variable.name == name)
}

/// Every variable, in the order of the table.
fn all() -> impl Iterator<Item = &'static Variable> {
    SECTIONS.iter().flat_map(|section| section.variables)
}

/// Returns the sort key of a name: its position in the table; unknown names come last, by name.
pub(super) fn position(name: &str) -> (usize, String) {
    let known = all().position(|variable| variable.name == name);
    (known.unwrap_or(usize::MAX), name.to_owned())
}

/// Returns the variable with a name like `name`.
pub(super) fn nearest_variable(name: &str) -> Option<&'static str> {
    nearest(name, all().map(|variable| variable.name))
}

/// Returns the end of a message about `text`, which suggests the nearest candidate if there is one.
pub(super) fn suggestion(text: &str, candidates: impl Iterator<Item = &'static str>) -> String {
    let meant = nearest(text, candidates).map(|meant| format!("; did you mean `{meant}`?"));
    meant.unwrap_or_default()
}

/// Returns the candidate nearest to `text`, if it is at most [`MAX_EDITS`] edits away and not `text` itself.
fn nearest(text: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    candidates
        .filter(|candidate| candidate.len() > MAX_EDITS + 1)
        .map(|candidate| (strsim::levenshtein(text, candidate), candidate))
        .filter(|(distance, _)| (1..=MAX_EDITS).contains(distance))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Maximum number of edits between a misspelt name and its suggestion.
const MAX_EDITS: usize = 2;
