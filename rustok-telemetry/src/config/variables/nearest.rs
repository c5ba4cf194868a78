//! The name that was probably meant.

/// How many letters may be wrong.
const FAR: usize = 2;

/// The name of the table that is at most two letters away from `name`.
pub(in crate::config) fn nearest_variable(name: &str) -> Option<&'static str> {
    nearest(name, super::all().map(|variable| variable.name))
}

/// The candidate nearest to `text`, if it is at most two letters away and not `text` itself.
pub(in crate::config) fn nearest(
    text: &str,
    candidates: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    candidates
        .map(|candidate| (distance(text, candidate), candidate))
        .filter(|(distance, candidate)| (1..=FAR).contains(distance) && candidate.len() > FAR + 1)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance in characters, by the usual table of which one row is kept.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, left) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, right) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn a_slip_finds_its_variable_and_a_foreign_name_finds_none() {
        assert_eq!(
            nearest_variable("OTEL_SERVCIE_NAME"),
            Some("OTEL_SERVICE_NAME")
        );
        assert_eq!(
            nearest_variable("OTEL_TRACE_SAMPLER"),
            Some("OTEL_TRACES_SAMPLER")
        );
        assert_eq!(nearest_variable("OTEL_PYTHON_LOG_LEVEL"), None);
    }
}
