//! Where a panel leads to: traces, and the runbook.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Where Grafana serves `docs/runbook.md` from, if that file is mounted into its folder of public files.
pub const RUNBOOK: &str = "/public/rustok/runbook.md";

/// The runbook's part on an alert.
pub fn runbook_url(alert: &str) -> String {
    format!("{RUNBOOK}#{}", alert.to_lowercase())
}

/// Which traces of a service are of interest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Traces {
    /// None: there is no service behind the panel.
    None,
    All,
    /// Those with an error.
    Failed,
    /// Those that take at least so many seconds.
    Slow(f64),
}

/// Stands for the value that a series has of this label, in a link of the series.
pub(crate) fn of_series(label: &str) -> String {
    format!("${{__field.labels.{label}}}")
}

impl Traces {
    /// What a link to them is called.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::None | Self::All => "Traces in Jaeger",
            Self::Failed => "Failed traces in Jaeger",
            Self::Slow(_) => "Slow traces in Jaeger",
        }
    }

    /// Jaeger's search in Grafana's Explore, over the time that is shown. Without a service, it asks for one.
    pub(crate) fn search_url(self, service: Option<&str>, operation: Option<&str>) -> String {
        let condition = match self {
            Self::None | Self::All => String::new(),
            Self::Failed => r#","tags":"error=true""#.to_owned(),
            Self::Slow(least) => format!(r#","minDuration":"{}ms""#, least * 1000.0),
        };
        let named = |field: &str, value: Option<&str>| {
            value.map_or(String::new(), |value| format!(r#","{field}":"{value}""#))
        };
        let (service, operation) = (named("service", service), named("operation", operation));
        let panes = format!(
            r#"{{"traces":{{"datasource":"${{jaeger}}","queries":[{{"refId":"A","datasource":{{"type":"jaeger","uid":"${{jaeger}}"}},"queryType":"search"{service}{operation}{condition}}}],"range":{{"from":"${{__from}}","to":"${{__to}}"}}}}}}"#
        );
        format!("/explore?schemaVersion=1&panes={}", encode(&panes))
    }
}

/// Percent-encodes all but Grafana's variables, which it replaces and encodes itself.
fn encode(text: &str) -> String {
    let mut parts = text.split("${");
    let mut encoded =
        utf8_percent_encode(parts.next().unwrap_or_default(), NON_ALPHANUMERIC).to_string();
    for part in parts {
        let (variable, rest) = part.split_once('}').unwrap_or((part, ""));
        encoded.push_str(&format!("${{{variable}}}"));
        encoded.extend(utf8_percent_encode(rest, NON_ALPHANUMERIC));
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_leaves_variables_to_grafana() {
        let url = Traces::Failed.search_url(Some(&of_series("job")), None);
        assert!(url.contains("${__field.labels.job}"), "{url}");
        assert!(url.contains("${jaeger}"), "{url}");
        assert!(url.contains("error%3Dtrue"), "{url}");
        assert!(!url.contains(['"', ' ']), "{url}");
    }

    #[test]
    fn a_threshold_is_told_in_jaegers_words() {
        let url = Traces::Slow(0.5).search_url(None, None);
        assert!(url.contains("minDuration%22%3A%22500ms"), "{url}");
    }
}
