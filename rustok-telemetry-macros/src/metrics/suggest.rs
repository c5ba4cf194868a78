//! Suggestions for misspelt options.

/// Returns the candidate that is closest to `given`, at most a third of its letters away.
pub(crate) fn closest<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let given = given.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::levenshtein(&given, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Joins names into a phrase: `` `a`, `b` and `c` ``.
pub(crate) fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first @ .., last] => format!("`{}` and `{last}`", first.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::{closest, list};

    #[test]
    fn closest_needs_to_be_close() {
        assert_eq!(closest("nmae", ["name", "unit"]), None);
        assert_eq!(closest("nam", ["name", "unit"]), Some("name"));
        assert_eq!(closest("Units", ["name", "unit"]), Some("unit"));
        assert_eq!(
            closest("boundries", ["boundaries", "unit"]),
            Some("boundaries")
        );
        assert_eq!(closest("colour", ["name", "unit"]), None);
    }

    #[test]
    fn list_is_a_phrase() {
        assert_eq!(list(&["a"]), "`a`");
        assert_eq!(list(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
