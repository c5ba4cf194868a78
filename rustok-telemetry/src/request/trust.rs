//! Which of a caller's headers a server uses.

use http::HeaderMap;
use tracing::Span;

use crate::{propagation, tenant};

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

    /// Makes the span of a request a part of the caller's trace, or the root of a new one.
    pub(crate) fn apply(self, span: &Span, headers: &HeaderMap) {
        if span.is_disabled() {
            return;
        }
        if self == Self::Nothing {
            propagation::begin_trace(span, headers);
            return;
        }
        let caller = propagation::extract_headers_within_current(headers);
        if self == Self::TraceAndTenant {
            tenant::set_default_on(span, propagation::named_in(&caller));
        }
        propagation::set_parent(span, caller);
    }
}
