//! Handling events.

use super::{
    EventMetadata, Panicked, Severity,
    handling::{Handling, span},
    panicked::catch,
    severity::failure,
};
use crate::{
    ErrorType,
    operation::{Call, CallMeta, OutcomeFuture},
};

/// Runs `future` as a handler of the event, and returns its result. See the example of the [module](super).
///
/// The handler has a span `event.handle` in the publisher's trace, with the event's tenant, and is
/// [timed and counted](super#what-is-recorded).
///
/// # Panics
///
/// Panics if `future` panics. [`Handler::handle_catching`] returns an error instead.
pub async fn handle<T, E: ErrorType>(
    event: &EventMetadata,
    handler: &str,
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    Handler::new(handler).handle(event, future).await
}

/// A named event handler, whose errors can be counted for a module.
///
/// ```
/// use rustok_telemetry::{ErrorType, event_bus::{EventMetadata, Handler, Panicked}};
///
/// #[derive(Debug, ErrorType)]
/// enum AuditError { DiskFull, Panicked }
///
/// impl From<Panicked> for AuditError {
///     fn from(_: Panicked) -> Self { Self::Panicked }
/// }
///
/// const AUDIT: Handler<'_> = Handler::new("audit_handler").module("audit").severity("warning");
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let event = EventMetadata::now("ProductCreated");
/// let handled: Result<(), AuditError> = AUDIT
///     .handle_catching(&event, async { panic!("a bug in this handler") })
///     .await;
/// assert!(matches!(handled, Err(AuditError::Panicked)));
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "a handler records nothing until it handles an event"]
pub struct Handler<'name, S = &'static str> {
    name: &'name str,
    module: Option<&'static str>,
    severity: S,
}

impl<'name> Handler<'name> {
    /// Creates a handler without a module. The name is a label, and the name of the exported spans.
    pub const fn new(name: &'name str) -> Self {
        Self {
            name,
            module: CallMeta::NO_MODULE.module,
            severity: CallMeta::NO_MODULE.severity,
        }
    }

    /// Also counts errors in `rustok_module_errors_total`, for this module.
    pub const fn module(mut self, module: &'static str) -> Self {
        self.module = Some(module);
        self
    }

    /// Sets the severity of an error for the module. The default is `error`. A panic is always `critical`.
    pub const fn severity(mut self, severity: &'static str) -> Self {
        self.severity = severity;
        self
    }

    /// Sets a function that returns the severity of each error for the module.
    ///
    /// ```
    /// # use rustok_telemetry::{ErrorType, event_bus::Handler};
    /// #[derive(Debug, ErrorType)]
    /// enum IndexError { NothingToIndex, DiskFull }
    ///
    /// impl IndexError {
    ///     fn severity(&self) -> &'static str {
    ///         match self { Self::NothingToIndex => "warning", Self::DiskFull => "critical" }
    ///     }
    /// }
    ///
    /// let index = Handler::new("index_handler").module("search_index").severity_by(IndexError::severity);
    /// ```
    pub const fn severity_by<E>(
        self,
        severity: fn(&E) -> &'static str,
    ) -> Handler<'name, fn(&E) -> &'static str> {
        Handler {
            name: self.name,
            module: self.module,
            severity,
        }
    }
}

impl<S: Copy> Handler<'_, S> {
    /// Runs `future` as this handler, as [`handle`] does.
    pub async fn handle<T, E: ErrorType>(
        &self,
        event: &EventMetadata,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E>
    where
        S: Severity<E>,
    {
        OutcomeFuture::new(self.begin(event), future, failure(self.severity)).await
    }

    /// Runs `future` as [`handle`](Self::handle) does. A panic is counted, caught and returned as an error, so that a
    /// worker continues with the next event.
    pub async fn handle_catching<T, E: ErrorType + From<Panicked>>(
        &self,
        event: &EventMetadata,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E>
    where
        S: Severity<E>,
    {
        let handling = OutcomeFuture::new(self.begin(event), future, failure(self.severity));
        let caught = catch(handling).await;
        caught.unwrap_or_else(|panicked| Err(panicked.into()))
    }

    /// Runs a synchronous function as this handler.
    pub fn handle_sync<T, E: ErrorType>(
        &self,
        event: &EventMetadata,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E>
    where
        S: Severity<E>,
    {
        self.begin(event).run(work, failure(self.severity))
    }

    fn begin<'event>(&'event self, event: &'event EventMetadata) -> Call<Handling<'event>> {
        let meta = CallMeta {
            module: self.module,
            ..CallMeta::NO_MODULE
        };
        let handling = Handling::begin(event.event_type(), self.name, meta);
        Call::begin(span(event, self.name), handling)
    }
}
