//! Warns of a second layer around the same routes, with which every request would count twice.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tracing::Span;

use super::request_tracker::{SPAN_NAME, SPAN_TARGET};

/// The first requests of the process that are looked at. Both layers see the first request of a route.
static LEFT: AtomicU32 = AtomicU32::new(100);

/// Called before the span of a request is created: with one layer there is no other request's span then.
pub(super) fn look() {
    let left = LEFT.load(Relaxed);
    if left == 0 {
        return;
    }
    let current = Span::current();
    let is_second = current
        .metadata()
        .is_some_and(|span| (span.target(), span.name()) == (SPAN_TARGET, SPAN_NAME));
    if !is_second {
        // A lost update only means that one more request is looked at.
        LEFT.store(left - 1, Relaxed);
    } else if LEFT.swap(0, Relaxed) > 0 {
        tracing::warn!(
            target: SPAN_TARGET,
            "a request passed through two `TelemetryLayer`s, so it counts twice, and its trace has two server spans; \
             keep one of them, on the outermost router",
        );
    }
}
