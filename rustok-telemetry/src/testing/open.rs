//! The open spans of a capture, so that assertions can wait for them to end.

use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tracing::{
    field::{Field, Visit},
    span::Id,
};

/// Maximum time that an assertion waits for open spans.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The open spans of a capture.
#[derive(Debug, Default)]
pub(super) struct OpenSpans {
    open: Mutex<BTreeMap<u64, Open>>,
    ended: Condvar,
}

#[derive(Debug)]
struct Open {
    name: Name,
    /// Whether an assertion has timed out waiting for the span. No assertion waits for it again.
    timed_out: bool,
}

/// The names of a span.
#[derive(Debug, Default)]
pub(super) struct Name {
    callsite: &'static str,
    /// `otel.name`.
    exported: Option<String>,
}

impl Name {
    pub(super) fn new(callsite: &'static str) -> Self {
        Self {
            callsite,
            exported: None,
        }
    }

    fn as_str(&self) -> &str {
        self.exported.as_deref().unwrap_or(self.callsite)
    }

    /// Whether the span may end with this name. A span with `otel.name` may still be renamed.
    fn may_become(&self, name: &str) -> bool {
        self.exported.is_some() || self.callsite == name
    }
}

impl Visit for Name {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "otel.name" {
            self.exported = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "otel.name" {
            self.exported = Some(format!("{value:?}"));
        }
    }
}

impl OpenSpans {
    pub(super) fn insert(&self, id: &Id, name: Name) {
        let timed_out = false;
        let open = Open { name, timed_out };
        self.lock().insert(id.into_u64(), open);
    }

    pub(super) fn remove(&self, id: &Id) {
        self.lock().remove(&id.into_u64());
        self.ended.notify_all();
    }

    /// Blocks until `done` returns `true`, no open span may end with this name (or any, without a name), or [`TIMEOUT`]
    /// has elapsed. Ignores the spans in `entered`, which the waiting thread has entered.
    pub(super) fn wait(&self, name: Option<&str>, entered: &[Id], done: impl Fn() -> bool) {
        let began = Instant::now();
        let mut open = self.lock();
        let awaited = |(id, open): (&u64, &Open)| {
            !open.timed_out
                && entered.iter().all(|entered| entered.into_u64() != *id)
                && name.is_none_or(|name| open.name.may_become(name))
        };
        while open.iter().any(awaited) && !done() {
            let Some(left) = TIMEOUT.checked_sub(began.elapsed()) else {
                for (id, span) in open.iter_mut() {
                    let timed_out = awaited((id, span));
                    span.timed_out |= timed_out;
                }
                return;
            };
            let waited = self.ended.wait_timeout(open, left);
            open = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        let open = self.lock();
        open.values()
            .map(|open| open.name.as_str().to_owned())
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
