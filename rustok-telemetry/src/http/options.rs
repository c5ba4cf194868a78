//! Options of the tower layer, and the hooks that add attributes to its spans.

use std::{borrow::Cow, fmt, sync::Arc};

use http::{request, response};
use opentelemetry::{Key, KeyValue, Value};
use tracing::Span;

use super::attributes::SpanAttributes;
use crate::{request::Trust, trace::native};

/// Prefix of the health routes.
pub(super) const HEALTH_PREFIX: &str = "/api/_health/";

/// Options of a [`TelemetryLayer`](super::TelemetryLayer).
#[derive(Clone)]
pub(super) struct Options {
    pub(super) trust: Trust,
    pub(super) attributes: SpanAttributes,
    pub(super) excluded_paths: Vec<Cow<'static, str>>,
    pub(super) on_request: Option<Hook<request::Parts>>,
    pub(super) on_response: Option<Hook<response::Parts>>,
    pub(super) traceresponse: bool,
}

/// A callback that adds attributes to a span.
pub(super) type Hook<Head> = Arc<dyn Fn(&Head, &mut SpanFields<'_>) + Send + Sync>;

impl Options {
    pub(super) fn excludes(&self, path: &str) -> bool {
        let mut prefixes = self.excluded_paths.iter();
        prefixes.any(|prefix| path.starts_with(&**prefix))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            trust: Trust::default(),
            attributes: SpanAttributes::default(),
            excluded_paths: vec![HEALTH_PREFIX.into()],
            on_request: None,
            on_response: None,
            traceresponse: true,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").finish_non_exhaustive()
    }
}

/// The attributes of a request's span, for the hooks of [`TelemetryLayer`](super::TelemetryLayer).
#[derive(Debug)]
pub struct SpanFields<'span> {
    pub(super) span: &'span Span,
}

impl SpanFields<'_> {
    /// Sets an attribute, such as `request.id`. Of an attribute that is set twice, the last value counts.
    ///
    /// The value is a text, a number or a `bool`. It is in the trace, not in the fields of log lines.
    pub fn set(&mut self, name: impl Into<Key>, value: impl Into<Value>) {
        native::set_attribute(self.span, KeyValue::new(name, value));
    }
}
