//! Exporter-internal targets: spans and events of the exporters themselves.

/// Crates that exporters use. Exporting their spans would cause further spans, without end.
const CRATES: &[&str] = &[
    "h2",
    "hyper",
    "hyper_util",
    "mio",
    "reqwest",
    "rustls",
    "tonic",
    "tower",
];

/// Returns whether a target is exporter-internal: `opentelemetry*`, `h2`, `hyper`, `hyper_util`, `mio`, `reqwest`,
/// `rustls`, `tonic`, `tower`, or a module of one of them.
///
/// Spans and events with such a target are excluded from span metrics, exported traces and exported log records. This
/// also prevents a deadlock: the OpenTelemetry SDK logs through `tracing` while it holds its locks.
/// [`Builder::exporter_target`](crate::Builder::exporter_target) adds further targets, which this function does not
/// know.
///
/// ```
/// use rustok_telemetry::trace::is_exporter_target;
///
/// assert!(is_exporter_target("hyper::proto::h1"));
/// assert!(is_exporter_target("mio::poll")); // if the Cargo feature `log` of mio is enabled
/// assert!(is_exporter_target("opentelemetry_sdk"));
/// assert!(!is_exporter_target("tower_http::trace"));
/// assert!(!is_exporter_target("my_service::tower"));
/// ```
pub fn is_exporter_target(target: &str) -> bool {
    target.starts_with("opentelemetry") || CRATES.iter().any(|name| is_within(target, name))
}

/// Whether a target is this module or one below it. Runs for every disabled span, so it compares the prefix only.
fn is_within(target: &str, module: &str) -> bool {
    let below = target.strip_prefix(module);
    below.is_some_and(|below| below.is_empty() || below.starts_with("::"))
}

/// The exporter-internal targets, with those that the service adds.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExporterTargets(Vec<String>);

impl ExporterTargets {
    /// Adds these targets and the modules below them.
    pub(crate) fn with(targets: Vec<String>) -> Self {
        Self(targets)
    }

    pub(crate) fn includes(&self, target: &str) -> bool {
        is_exporter_target(target) || self.0.iter().any(|added| is_within(target, added))
    }
}
