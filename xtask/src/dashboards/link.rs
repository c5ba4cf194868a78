//! Links of panels: to traces and to the runbook.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The path at which Grafana serves `docs/runbook.md`, if the file is mounted into Grafana's folder of public files.
pub const RUNBOOK: &str = "/public/rustok/runbook.md";

/// Returns the link to the runbook section of an alert.
pub fn runbook_url(alert: &str) -> String {
    format!("{RUNBOOK}#{}", alert.to_lowercase())
}

/// The traces that a panel links to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Traces {
    /// None: the panel is not about services.
    None,
    All,
    /// Traces with an error.
    Failed,
    /// Traces that take at least this many seconds.
    Slow(f64),
}

/// Returns Grafana's placeholder for the value of a label, for links of a series.
pub(crate) fn of_series(label: &str) -> String {
    format!("${{__field.labels.{label}}}")
}

impl Traces {
    /// Returns the title of the link.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::None | Self::All => "Traces in Jaeger",
            Self::Failed => "Failed traces in Jaeger",
            Self::Slow(_) => "Slow traces in Jaeger",
        }
    }

    /// Returns a link to Jaeger's search in Grafana's Explore, for the selected time range. Without `service`, the user
    /// selects one there.
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

/// Percent-encodes a text, except Grafana's variables, which Grafana replaces and encodes.
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
    fn minimum_duration_is_in_jaegers_format() {
        let url = Traces::Slow(0.5).search_url(None, None);
        assert!(url.contains("minDuration%22%3A%22500ms"), "{url}");
    }
}
