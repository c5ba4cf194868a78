//! The rules of the Prometheus text format.

use std::collections::{BTreeMap, BTreeSet};

/// Checks a text against the rules of the format.
#[track_caller]
pub(crate) fn assert_valid(text: &str) {
    assert!(text.ends_with('\n'), "the last line ends");
    let mut types: BTreeMap<&str, &str> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut family = "";
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let name = help.split(' ').next().expect("a name");
            assert!(helped.insert(name), "{line}");
            assert!(!types.contains_key(name), "before the type: {line}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a name and a type");
            assert_eq!(types.insert(name, kind), None, "{line}");
            family = name;
        } else {
            let (series, number) = line.rsplit_once(' ').expect("a series and a number");
            assert!(number.parse::<f64>().is_ok(), "{line}");
            assert!(seen.insert(series), "there is another: {line}");
            let name = series.split('{').next().expect("a name");
            let of_family = match types[family] {
                "histogram" => ["_bucket", "_sum", "_count"]
                    .iter()
                    .any(|suffix| name.strip_suffix(suffix) == Some(family)),
                _ => name == family,
            };
            assert!(of_family, "{line} is within {family}");
            let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            assert!(name.chars().all(|letter| letters(letter) || letter == ':'));
            assert!(
                name.starts_with(|first: char| !first.is_ascii_digit()),
                "{line}"
            );
            let mut labels = BTreeSet::new();
            for name in label_names(&series[name.len()..]) {
                assert!(!name.is_empty() && name.chars().all(letters), "{line}");
                assert!(
                    name.starts_with(|first: char| !first.is_ascii_digit()),
                    "{line}"
                );
                assert!(name != "__name__" && labels.insert(name), "{line}");
            }
        }
    }
    let names: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    assert!(
        names.is_sorted(),
        "families are in the order of their names"
    );
}

/// The names in `{name="value",…}`.
fn label_names(mut rest: &str) -> Vec<&str> {
    let mut names = Vec::new();
    while let Some(name_and_value) = rest.strip_prefix(['{', ',']) {
        let (name, value) = name_and_value.split_once("=\"").expect("a value");
        names.push(name);
        let mut escaped = false;
        let end = value.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        rest = &value[end.expect("a closing quote") + 1..];
    }
    assert!(rest.is_empty() || rest == "}", "{rest}");
    names
}
