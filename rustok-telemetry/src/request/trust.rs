//! Which of a caller's headers a server uses.

use http::HeaderMap;
use opentelemetry::Context;
use tracing::Span;

use crate::{propagation, tenant, trace::native};

/// Which of a caller's headers a layer uses. See [trust](crate::propagation#trust).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Trust {
    Nothing,
    #[default]
    Trace,
    TraceAndTenant,
}

impl Trust {
    /// Also accepts the caller's tenant, unless nothing of the caller is used.
    pub(crate) fn accept_tenant(&mut self) {
        if *self == Self::Trace {
            *self = Self::TraceAndTenant;
        }
    }

    /// Creates the span of a request, as a part of the caller's trace or the root of a new one.
    pub(crate) fn span(self, headers: &HeaderMap, create: impl FnOnce() -> Span) -> Span {
        let mut tenant = None;
        let parent = || {
            if self == Self::Nothing {
                return Context::new();
            }
            let caller = propagation::extract_headers_within_current(headers);
            if self == Self::TraceAndTenant {
                tenant = propagation::named_in(&caller).map(str::to_owned);
            }
            caller
        };
        let span = native::create_within(parent, create);
        if self == Self::Nothing && !span.is_disabled() {
            propagation::link_caller(&span, headers);
        }
        tenant::set_default_on(&span, tenant.as_deref());
        span
    }
}
