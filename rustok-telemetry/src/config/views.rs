//! Views: metrics that a deployment drops or aggregates into other buckets.

use std::fmt;

use super::{Diagnostic, Setting, Visitor, list::show_list};

/// An override for the metrics of some names. The first view that matches a metric's name applies.
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
    /// The aggregation of these metrics.
    pub aggregation: ViewAggregation,
}

/// The aggregation that a [`View`] sets.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ViewAggregation {
    /// The metric is not collected: it is neither exported nor in the Prometheus text.
    Drop,
    /// Increasing bucket boundaries, which replace the declared ones of a histogram. Other metrics ignore them.
    Boundaries(Vec<f64>),
}

impl View {
    /// Whether this view is for the metric of this name.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let pattern = self.instrument_name.to_ascii_lowercase().into_bytes();
        let name = name.to_ascii_lowercase().into_bytes();
        // Which prefixes of the name, by their lengths, the pattern matches so far.
        let mut matched = vec![false; name.len() + 1];
        matched[0] = true;
        for letter in pattern {
            if letter == b'*' {
                if let Some(shortest) = matched.iter().position(|matched| *matched) {
                    matched[shortest..].fill(true);
                }
            } else {
                for length in (1..=name.len()).rev() {
                    let fits = letter == b'?' || letter == name[length - 1];
                    matched[length] = fits && matched[length - 1];
                }
                matched[0] = false;
            }
        }
        matched[name.len()]
    }

    /// Returns why it cannot be used.
    pub(super) fn diagnostic(&self) -> Option<String> {
        let ViewAggregation::Boundaries(boundaries) = &self.aggregation else {
            return None;
        };
        let usable = !boundaries.is_empty()
            && boundaries.iter().all(|boundary| boundary.is_finite())
            && boundaries.is_sorted_by(|lower, upper| lower < upper);
        (!usable).then(|| "the boundaries of a histogram are finite, and increase".to_owned())
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
    let of_file = || visitor.reader().and_then(|reader| reader.views.take());
    let mut views = old
        .cloned()
        .or_else(of_file)
        .unwrap_or_else(|| Setting::default_value(Vec::new()));
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
