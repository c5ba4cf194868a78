//! Reads Prometheus' text format, as far as the tests need it.

use std::collections::{BTreeMap, BTreeSet};

/// All families of a text, by name.
pub(crate) type Families = BTreeMap<String, Family>;

/// A metric with all its series.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Family {
    pub(crate) help: String,
    pub(crate) kind: String,
    /// Series → value. A series is its name and labels.
    pub(crate) samples: BTreeMap<Series, f64>,
}

/// A series: its name with suffix, and its labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
}

impl Family {
    /// The names of the labels, without those of the format and of the target.
    pub(crate) fn label_names(&self) -> BTreeSet<&str> {
        let labels = self.samples.keys().flat_map(|series| series.labels.keys());
        labels
            .map(String::as_str)
            .filter(|name| !["le", "job", "instance"].contains(name))
            .collect()
    }
}

impl Series {
    /// The series as Prometheus keeps it: `le` in its canonical form, no empty labels.
    pub(crate) fn new(name: &str, labels: impl IntoIterator<Item = (String, String)>) -> Self {
        let labels = labels.into_iter().filter(|(_, value)| !value.is_empty());
        let labels = labels.map(
            |(name, value)| match (name.as_str(), value.parse::<f64>()) {
                ("le", Ok(bound)) => (name, bound.to_string()),
                _ => (name, value),
            },
        );
        Self {
            name: name.to_owned(),
            labels: labels.collect(),
        }
    }
}

/// Reads a text.
pub(crate) fn parse(text: &str) -> Families {
    let mut families = Families::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a name and a help text");
            current = name.to_owned();
            families.entry(current.clone()).or_default().help = help.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a type");
            current = name.to_owned();
            families.entry(current.clone()).or_default().kind = kind.to_owned();
        } else {
            let (series, value) = sample(line);
            assert!(
                series.name.starts_with(&current),
                "{line} is not of {current}"
            );
            let family = families.entry(current.clone()).or_default();
            assert!(
                family.samples.insert(series, value).is_none(),
                "twice: {line}"
            );
        }
    }
    families
}

fn sample(line: &str) -> (Series, f64) {
    let (series, value) = line.rsplit_once(' ').expect("a value");
    let value = value.parse().expect("a number");
    let Some((name, labels)) = series.split_once('{') else {
        return (Series::new(series, []), value);
    };
    (
        Series::new(name, pairs(labels.strip_suffix('}').expect("a brace"))),
        value,
    )
}

fn pairs(mut text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    while let Some((name, rest)) = text.split_once("=\"") {
        let mut value = String::new();
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next().expect("a closing quote") {
                (end, '"') => break end,
                (_, '\\') => match characters.next().expect("an escaped character").1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        };
        pairs.push((name.to_owned(), value));
        text = rest[end + 1..].trim_start_matches(',');
    }
    pairs
}
