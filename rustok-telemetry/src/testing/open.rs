//! The spans of a capture that are open, so that assertions can wait for those that are about to end.
//!
//! A span ends when its last handle is dropped, which may be in another thread, a moment after the code under test has
//! returned: sqlx's thread for SQLite keeps a clone of the span of a query.

use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tracing::{
    field::{Field, Visit},
    span::Id,
};

/// How long an assertion waits for the spans that are open.
const LIMIT: Duration = Duration::from_secs(1);

/// The open spans of a capture.
#[derive(Debug, Default)]
pub(super) struct OpenSpans {
    open: Mutex<BTreeMap<u64, Open>>,
    ended: Condvar,
}

#[derive(Debug)]
struct Open {
    name: Name,
    /// An assertion has waited for its end in vain; none waits for it again.
    outlasted: bool,
}

/// What a span is called, as far as its fields say.
#[derive(Debug, Default)]
pub(super) struct Name {
    of_callsite: &'static str,
    /// `otel.name`.
    exported: Option<String>,
}

impl Name {
    pub(super) fn new(of_callsite: &'static str) -> Self {
        Self {
            of_callsite,
            exported: None,
        }
    }

    fn as_str(&self) -> &str {
        self.exported.as_deref().unwrap_or(self.of_callsite)
    }

    /// Whether the span may end with this name. One that has `otel.name` may be renamed.
    fn may_become(&self, name: &str) -> bool {
        self.exported.is_some() || self.of_callsite == name
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
        let outlasted = false;
        let open = Open { name, outlasted };
        self.lock().insert(id.into_u64(), open);
    }

    pub(super) fn remove(&self, id: &Id) {
        self.lock().remove(&id.into_u64());
        self.ended.notify_all();
    }

    /// Waits until `done`, or until no span is open that may become one of this name (any, without a name), at most
    /// [`LIMIT`]. Spans of `entered`, which the waiting thread is in, cannot end meanwhile. Blocks the thread.
    pub(super) fn wait(&self, name: Option<&str>, entered: &[Id], done: impl Fn() -> bool) {
        let began = Instant::now();
        let mut open = self.lock();
        let awaited = |(id, open): (&u64, &Open)| {
            !open.outlasted
                && entered.iter().all(|entered| entered.into_u64() != *id)
                && name.is_none_or(|name| open.name.may_become(name))
        };
        while open.iter().any(awaited) && !done() {
            let Some(left) = LIMIT.checked_sub(began.elapsed()) else {
                for (id, one) in open.iter_mut() {
                    let outlasted = awaited((id, one));
                    one.outlasted |= outlasted;
                }
                return;
            };
            let waited = self.ended.wait_timeout(open, left);
            open = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The names of the open spans.
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
