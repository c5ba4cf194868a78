//! The route's template of a request, as the router tells it.

use std::borrow::Cow;

use http::Extensions;

/// `path` and `endpoint` of requests that no route matched.
pub const UNMATCHED: &str = "unmatched";

/// The template of the route that a request matched, such as `/api/products/{id}`, for frameworks other than axum.
///
/// ```
/// use rustok_telemetry::http::RouteTemplate;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(RouteTemplate("/api/products/{id}".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTemplate(pub Cow<'static, str>);

/// The route that a request matched, as the router keeps it.
#[derive(Debug)]
pub(super) enum Route {
    Told(Cow<'static, str>),
    #[cfg(feature = "axum")]
    Matched(axum::extract::MatchedPath),
}

impl Route {
    /// The route that is told in the extensions of a request or a response.
    pub(super) fn told(extensions: &Extensions) -> Option<Self> {
        if let Some(RouteTemplate(route)) = extensions.get() {
            return Some(Self::Told(route.clone()));
        }
        #[cfg(feature = "axum")]
        if let Some(path) = extensions.get::<axum::extract::MatchedPath>() {
            return Some(Self::Matched(path.clone()));
        }
        None
    }

    pub(super) fn template(&self) -> &str {
        match self {
            Self::Told(template) => template,
            #[cfg(feature = "axum")]
            Self::Matched(path) => path.as_str(),
        }
    }
}
