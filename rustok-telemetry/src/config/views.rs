//! Views: metrics that a deployment drops or aggregates into other buckets.

use std::fmt;

use super::{error::Diagnostic, list::show_list, setting::Setting, visitor::Visitor};

/// An override for the metrics of some names. The first view that matches a name counts.
///
/// ```
/// use rustok_telemetry::config::{TelemetryConfig, View, ViewAggregation};
///
/// # fn main() -> Result<(), rustok_telemetry::config::ConfigError> {
/// let mut config = TelemetryConfig::from_vars([("OTEL_SERVICE_NAME", "shop")])?;
/// config.metrics.views.set(vec![View {
///     instrument_name: "rustok_http_*_size_bytes".to_owned(),
///     aggregation: ViewAggregation::Drop,
/// }]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The metric's name, in any letter case; `*` matches any characters or none, `?` matches one.
    pub instrument_name: String,
    /// What it does with them.
    pub aggregation: ViewAggregation,
}

/// What a [`View`] does.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ViewAggregation {
    /// The metric is neither exported nor in the Prometheus text; recording it costs nothing but the call.
    Drop,
    /// A histogram's bucket boundaries, which must increase, in place of those that it declares. For metrics of other
    /// kinds it has no effect.
    Boundaries(Vec<f64>),
}

impl View {
    /// Whether this view is for the metric of this name.
    pub(crate) fn matches(&self, name: &str) -> bool {
        matches(
            self.instrument_name.to_ascii_lowercase().as_bytes(),
            name.to_ascii_lowercase().as_bytes(),
        )
    }

    /// Returns why it cannot be used.
    pub(super) fn diagnostic(&self) -> Option<String> {
        match &self.aggregation {
            ViewAggregation::Boundaries(boundaries) => {
                let increasing = boundaries.windows(2).all(|pair| pair[0] < pair[1]);
                let usable = increasing && boundaries.iter().all(|boundary| boundary.is_finite());
                (!usable || boundaries.is_empty())
                    .then(|| "the boundaries of a histogram are finite, and increase".to_owned())
            }
            ViewAggregation::Drop => None,
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.aggregation {
            ViewAggregation::Drop => write!(f, "{}: drop", self.instrument_name),
            ViewAggregation::Boundaries(boundaries) => {
                write!(f, "{}: {boundaries:?}", self.instrument_name)
            }
        }
    }
}

/// Visits the views, which no variable sets.
pub(super) fn visit_views(
    old: Option<&Setting<Vec<View>>>,
    visitor: &mut Visitor<'_>,
) -> Setting<Vec<View>> {
    let mut views = match (old, visitor.reader()) {
        (None, Some(reader)) => reader.take_views(),
        (old, _) => old
            .cloned()
            .unwrap_or_else(|| Setting::default_value(Vec::new())),
    };
    let shown = show_list(views.value.iter().map(View::to_string));
    visitor.report("views", &shown, views.source);
    for view in &views.value {
        if let Some(why) = view.diagnostic() {
            let diagnostic = Diagnostic::of_name(&view.instrument_name, None, why);
            visitor.diagnostic(diagnostic, views.source);
        }
    }
    if visitor.applies_defaults() {
        views.value.retain(|view| view.diagnostic().is_none());
    }
    views
}

/// Matches from left to right; when a letter does not fit, the last `*` takes one letter more.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_name) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                last_star = Some((at, in_name));
                at += 1;
            }
            Some(letter) if *letter == b'?' || *letter == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => {
                let Some((star, taken)) = last_star else {
                    return false;
                };
                last_star = Some((star, taken + 1));
                at = star + 1;
                in_name = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_by_wildcards() {
        for (pattern, name, expected) in [
            (
                "rustok_http_requests_total",
                "rustok_http_requests_total",
                true,
            ),
            ("RUSTOK_*", "rustok_http_requests_total", true),
            ("*", "anything", true),
            ("*_total", "rustok_http_requests_total", true),
            ("rustok_*_size_*", "rustok_http_request_size_bytes", true),
            ("rustok_?ttp_*", "rustok_http_requests_total", true),
            ("rustok", "rustok_http_requests_total", false),
            ("*_seconds", "rustok_http_requests_total", false),
            ("", "x", false),
            ("", "", true),
        ] {
            let view = View {
                instrument_name: pattern.to_owned(),
                aggregation: ViewAggregation::Drop,
            };
            assert_eq!(view.matches(name), expected, "{pattern} {name}");
        }
    }
}
