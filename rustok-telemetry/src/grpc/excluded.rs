//! Services whose calls are not recorded.

use std::borrow::Cow;

/// Health checks and reflection.
const DEFAULT: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// Names of services.
#[derive(Debug, Clone)]
pub(super) struct Excluded(Vec<Cow<'static, str>>);

impl Default for Excluded {
    fn default() -> Self {
        Self(DEFAULT.map(Cow::Borrowed).to_vec())
    }
}

impl<S: Into<Cow<'static, str>>> FromIterator<S> for Excluded {
    fn from_iter<I: IntoIterator<Item = S>>(services: I) -> Self {
        Self(services.into_iter().map(Into::into).collect())
    }
}

impl Excluded {
    /// Whether a path, `/{service}/{method}`, belongs to one of the services.
    pub(super) fn contains(&self, path: &str) -> bool {
        let service = path.split('/').nth(1).unwrap_or_default();
        self.0.iter().any(|excluded| excluded == service)
    }
}
