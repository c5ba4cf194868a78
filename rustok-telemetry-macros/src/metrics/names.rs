//! Rules for the names of metrics and labels.

use super::kind::Kind;

/// Maximum length of an instrument's name in OpenTelemetry, in characters.
const LONGEST_NAME: usize = 255;

/// Suffixes that histograms, summaries and OpenMetrics counters append to their names.
const RESERVED_ENDINGS: [&str; 5] = ["bucket", "count", "sum", "created", "info"];

/// Labels that Prometheus, the Collector or a histogram set themselves.
const RESERVED_LABELS: [&str; 4] = ["le", "quantile", "job", "instance"];

/// Prefixes of labels that Prometheus, the Collector or OpenTelemetry set themselves.
/// `otel_` covers `otel_scope_name` and `otel_scope_version`.
const RESERVED_LABEL_BEGINNINGS: [&str; 3] = ["__", "otel_", "exported_"];

/// An error in a name, with a suggestion.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) wrong: String,
    pub(crate) right: String,
}

/// Returns whether `name` consists of lower-case words joined by `_`.
pub(crate) fn is_snake_case(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_')
}

/// Returns the error in the spelling of `what` (a metric's name, a namespace …), if any.
pub(crate) fn spelling(what: &str, name: &str) -> Option<Complaint> {
    if name.is_empty() {
        return Some(Complaint {
            wrong: format!("{what} is empty"),
            right: "write lower-case words joined by `_`".to_owned(),
        });
    }
    (!is_snake_case(name)).then(|| Complaint {
        wrong: format!("{what} `{name}` is not lower-case words joined by `_`"),
        right: match to_snake_case(name) {
            Some(better) => format!("write `{better}`"),
            None => {
                "write letters `a` to `z`, digits, and single `_` in between; begin with a letter"
                    .to_owned()
            }
        },
    })
}

/// Returns the error in the suffix or the length of a metric's full name, if any. `name` is the option's value.
pub(crate) fn metric(
    kind: Kind,
    name: &str,
    full_name: &str,
    without_total: bool,
) -> Option<Complaint> {
    let words = kind.words();
    let last = last_word(full_name);
    if kind.counts() && last != "total" && !without_total {
        return Some(Complaint {
            wrong: format!("the {words} `{name}` does not end in `_total`"),
            right: format!(
                "write `name = \"{name}_total\"`, or add `without_total` when the name must stay"
            ),
        });
    }
    if kind.counts() && last == "total" && without_total {
        return Some(Complaint {
            wrong: format!("`without_total` contradicts the name `{name}`, which ends in `_total`"),
            right: "remove `without_total`, or the suffix".to_owned(),
        });
    }
    if !kind.counts() && last == "total" {
        return Some(Complaint {
            wrong: format!("the {words} `{name}` ends in `_total`, the suffix of counters"),
            right: match name.strip_suffix("_total") {
                Some(better) => format!("write `name = \"{better}\"`, or declare a counter"),
                None => "choose another name, or declare a counter".to_owned(),
            },
        });
    }
    if RESERVED_ENDINGS.contains(&last) {
        return Some(Complaint {
            wrong: format!(
                "the {words} `{name}` ends in `_{last}`, which Prometheus reserves for the series of histograms, summaries and info metrics"
            ),
            right: "choose another last word".to_owned(),
        });
    }
    (full_name.len() > LONGEST_NAME).then(|| Complaint {
        wrong: format!(
            "the full name `{full_name}` has {} characters",
            full_name.len()
        ),
        right: format!("OpenTelemetry allows {LONGEST_NAME}: choose a shorter name"),
    })
}

/// Returns the error in a label's name, if any.
pub(crate) fn label(name: &str) -> Option<Complaint> {
    let reserved = RESERVED_LABELS.contains(&name)
        || RESERVED_LABEL_BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning));
    if reserved {
        return Some(Complaint {
            wrong: format!(
                "the label name `{name}` is reserved: Prometheus, the Collector or OpenTelemetry set it"
            ),
            right: "choose another with `#[label(name = \"…\")]`".to_owned(),
        });
    }
    spelling("the label name", name)
}

/// Returns the word after the last `_`.
pub(crate) fn last_word(name: &str) -> &str {
    name.rsplit('_').next().unwrap_or(name)
}

/// Converts a name to snake case; `None` if that is not possible.
fn to_snake_case(name: &str) -> Option<String> {
    let mut words = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            words.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        words.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        });
    }
    let words: Vec<&str> = words.split('_').filter(|word| !word.is_empty()).collect();
    Some(words.join("_")).filter(|better| is_snake_case(better))
}

#[cfg(test)]
mod tests {
    use super::{Complaint, Kind, is_snake_case, label, metric, spelling, to_snake_case};

    #[test]
    fn snake_case() {
        for good in ["a", "events_total", "http2_requests", "p99"] {
            assert!(is_snake_case(good), "{good}");
        }
        for bad in ["", "_a", "a_", "a__b", "A", "aB", "a-b", "a.b", "9a", "ä"] {
            assert!(!is_snake_case(bad), "{bad}");
        }
    }

    #[test]
    fn better_spelling_is_offered() {
        assert_eq!(
            to_snake_case("EventsPublished"),
            Some("events_published".into())
        );
        assert_eq!(
            to_snake_case("http.server-time"),
            Some("http_server_time".into())
        );
        assert_eq!(to_snake_case("a__b_"), Some("a_b".into()));
        assert_eq!(to_snake_case("9"), None);
        let complaint = spelling("the name", "a__b").map(|Complaint { right, .. }| right);
        assert_eq!(complaint, Some("write `a_b`".to_owned()));
    }

    #[test]
    fn endings() {
        let wrong = |kind, name: &str, without| metric(kind, name, name, without).is_some();
        assert!(!wrong(Kind::Counter, "a_total", false));
        assert!(wrong(Kind::Counter, "a", false));
        assert!(!wrong(Kind::Counter, "a", true));
        assert!(wrong(Kind::Counter, "a_total", true));
        assert!(wrong(Kind::ObservableCounter, "a", false));
        assert!(wrong(Kind::Gauge, "a_total", false));
        for ending in super::RESERVED_ENDINGS {
            assert!(
                wrong(Kind::Gauge, &format!("a_{ending}"), false),
                "{ending}"
            );
        }
        assert!(!wrong(Kind::Gauge, "account", false));
        assert!(wrong(Kind::Gauge, &"a".repeat(256), false));
    }

    #[test]
    fn labels() {
        for good in ["path", "tenant_id", "level", "otel"] {
            assert_eq!(label(good), None, "{good}");
        }
        for bad in [
            "le",
            "quantile",
            "job",
            "instance",
            "__name__",
            "otel_scope_name",
            "exported_job",
            "tenantId",
            "_x",
        ] {
            assert!(label(bad).is_some(), "{bad}");
        }
    }
}
