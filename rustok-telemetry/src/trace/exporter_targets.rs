//! Which spans and events belong to the exporters themselves.

/// Crates that the exporters are made of. Their spans would be exported too, which makes new ones, without end.
const CRATES: &[&str] = &[
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
    "tonic",
    "tower",
];

/// Whether a span or event with this target is the exporters' own: of `opentelemetry*`, `h2`, `hyper`, `hyper_util`,
/// `reqwest`, `rustls`, `tonic`, `tower`, or a module of one of them.
///
/// Such spans and events are kept out of the span metrics, the exported traces and the log records that are sent. This also prevents a deadlock: the
/// OpenTelemetry SDK logs through `tracing` while it holds its locks.
///
/// ```
/// use rustok_telemetry::trace::is_machinery;
///
/// assert!(is_machinery("hyper::proto::h1"));
/// assert!(is_machinery("opentelemetry_sdk"));
/// assert!(!is_machinery("tower_http::trace"));
/// assert!(!is_machinery("my_service::tower"));
/// ```
pub fn is_exporter_target(target: &str) -> bool {
    target.starts_with("opentelemetry") || CRATES.iter().any(|name| is_within(target, name))
}

/// Whether a target is this module, or one below it. Asked for each span that a layer does not want, so no searching.
fn is_within(target: &str, module: &str) -> bool {
    let below = target.strip_prefix(module);
    below.is_some_and(|below| below.is_empty() || below.starts_with("::"))
}

/// What takes part in sending telemetry: the exporters, and the targets that the service names.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExporterTargets(Vec<String>);

impl ExporterTargets {
    /// The exporters, and these targets with those below them.
    pub(crate) fn with(targets: Vec<String>) -> Self {
        Self(targets)
    }

    pub(crate) fn includes(&self, target: &str) -> bool {
        is_exporter_target(target) || self.0.iter().any(|own| is_within(target, own))
    }
}
