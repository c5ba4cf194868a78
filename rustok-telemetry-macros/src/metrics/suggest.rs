//! Suggestions for misspelled words.

/// Returns the candidate closest to `given`, if one is close.
pub(crate) fn closest<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let given = given.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&given, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first @ .., last] => format!("`{}` and `{last}`", first.join("`, `")),
    }
}

/// Returns the Levenshtein distance of two words.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, letter) in from.chars().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::{closest, distance, list};

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("", "unit"), 4);
        assert_eq!(distance("unit", "unit"), 0);
        assert_eq!(distance("units", "unit"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

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
