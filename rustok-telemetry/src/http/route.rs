//! The route template of a request.

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

/// The route that a request matched.
#[derive(Debug)]
pub(super) enum Route {
    Template(Cow<'static, str>),
    #[cfg(feature = "axum")]
    Matched(axum::extract::MatchedPath),
    /// The prefix of a nested service: the path of the [`nested`] router's only route.
    #[cfg(feature = "axum")]
    Nested(axum::extract::MatchedPath),
}

impl Route {
    /// Returns the route of a request that has been routed.
    pub(super) fn of_request(extensions: &Extensions) -> Option<Self> {
        let route = Self::from_extensions(extensions);
        #[cfg(feature = "axum")]
        let route = route.or_else(|| nested::prefix(extensions).map(Self::Nested));
        route
    }

    /// Returns the route in the extensions of a request or a response.
    pub(super) fn from_extensions(extensions: &Extensions) -> Option<Self> {
        if let Some(RouteTemplate(route)) = extensions.get() {
            return Some(Self::Template(route.clone()));
        }
        #[cfg(feature = "axum")]
        if let Some(path) = extensions.get::<axum::extract::MatchedPath>() {
            return Some(Self::Matched(path.clone()));
        }
        None
    }

    pub(super) fn template(&self) -> &str {
        match self {
            Self::Template(template) => template,
            #[cfg(feature = "axum")]
            Self::Matched(path) => path.as_str(),
            #[cfg(feature = "axum")]
            Self::Nested(path) => nested::without_root(path),
        }
    }

    /// Whether the response may have a more exact route.
    pub(super) fn is_prefix(&self) -> bool {
        match self {
            #[cfg(feature = "axum")]
            Self::Nested(_) => true,
            #[cfg(feature = "axum")]
            Self::Matched(_) => false,
            Self::Template(_) => false,
        }
    }
}

/// Services that are nested with axum's `nest_service`.
#[cfg(feature = "axum")]
mod nested {
    use std::{
        pin::pin,
        sync::LazyLock,
        task::{Context, Poll, Waker},
    };

    use axum::{
        Extension, Router,
        extract::{MatchedPath, Request},
        routing::get,
    };
    use http::Extensions;
    use tower_service::Service;

    const ROOT: &str = "/";

    static ROUTER: LazyLock<Router> = LazyLock::new(|| {
        let path = |path: MatchedPath| async move { Extension(path) };
        Router::new().route(ROOT, get(path))
    });

    /// Returns the path of a nested service, followed by [`ROOT`].
    ///
    /// axum keeps the path in an extension of a private type, and a router in the nested service prepends it to the path
    /// of its own route. So this asks a router whose only route is the root.
    pub(super) fn prefix(extensions: &Extensions) -> Option<MatchedPath> {
        if extensions.is_empty() {
            return None;
        }
        let mut request: Request = Request::default();
        request.extensions_mut().clone_from(extensions);
        let response = pin!(ROUTER.clone().call(request));
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(response)) = response.poll(&mut context) else {
            return None;
        };
        let path = response.extensions().get::<MatchedPath>()?;
        (path.as_str() != ROOT).then(|| path.clone())
    }

    pub(super) fn without_root(path: &MatchedPath) -> &str {
        let path = path.as_str();
        path.strip_suffix(ROOT).unwrap_or(path)
    }
}
