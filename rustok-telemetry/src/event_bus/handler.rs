//! The handling side.

use super::{
    EventMetadata, NO_MODULE, Panicked, Severity,
    handling::{Handling, span},
    panicked::Caught,
    severity::failure,
};
use crate::{
    ErrorType,
    operation::{Call, CallMeta, OutcomeFuture},
};

/// Handles an event: runs `future` as the work of this handler.
///
/// The work is a span of its own in the publisher's trace, for the event's tenant. Its time is recorded in
/// `rustok_event_bus_processing_duration_seconds`; the event is counted in `rustok_event_bus_dispatched_total` or, with
/// an error or a panic, in `rustok_event_bus_errors_total`. What `future` returns is returned.
///
/// ```
/// use rustok_telemetry::{ErrorType, event_bus::{self, EventMetadata}};
///
/// #[derive(Debug, ErrorType)]
/// enum IndexError { NothingToIndex }
///
/// async fn index(event: &EventMetadata) -> Result<(), IndexError> {
///     // …
/// #    let _ = event;
///     Ok(())
/// }
///
/// async fn work(event: &EventMetadata) {
///     let handled = event_bus::handle(event, "index_handler", index(event)).await;
///     # let _ = handled;
/// }
/// ```
///
/// # Panics
///
/// When `future` does; [`Handler::handle_catching`] gives an error back instead.
pub async fn handle<T, E: ErrorType>(
    event: &EventMetadata,
    handler: &str,
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    Handler::new(handler).handle(event, future).await
}

/// Handles events under a name, and says which module its errors belong to.
///
/// ```
/// use rustok_telemetry::{ErrorType, event_bus::{EventMetadata, Handler, Panicked}};
///
/// #[derive(Debug, ErrorType)]
/// enum AuditError {
///     DiskFull,
///     #[error_type(transparent)]
///     Panicked(Panicked),
/// }
///
/// impl From<Panicked> for AuditError {
///     fn from(panicked: Panicked) -> Self {
///         Self::Panicked(panicked)
///     }
/// }
///
/// const AUDIT: Handler<'_> = Handler::new("audit_handler").module("audit").severity("warning");
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let event = EventMetadata::now("ProductCreated");
/// let handled: Result<(), AuditError> = AUDIT
///     .handle_catching(&event, async { panic!("a bug of this handler's") })
///     .await;
/// assert!(matches!(handled, Err(AuditError::Panicked(_))));
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Handler<'name, S = &'static str> {
    name: &'name str,
    module: Option<&'static str>,
    severity: S,
}

impl<'name> Handler<'name> {
    /// A handler that belongs to no module. Its name becomes a label, and the name of its spans in the traces.
    pub const fn new(name: &'name str) -> Self {
        Self {
            name,
            module: NO_MODULE.module,
            severity: NO_MODULE.severity,
        }
    }

    /// Counts errors in `rustok_module_errors_total` for this module.
    #[must_use]
    pub const fn module(mut self, module: &'static str) -> Self {
        self.module = Some(module);
        self
    }

    /// How severe an error is for the module: `error` unless said otherwise. A panic is always `critical`.
    #[must_use]
    pub const fn severity(mut self, severity: &'static str) -> Self {
        self.severity = severity;
        self
    }

    /// How severe an error is for the module, where that differs from error to error.
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
    #[must_use]
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
    /// As the function [`handle`].
    ///
    /// # Panics
    ///
    /// When `future` does.
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

    /// As [`handle`](Self::handle), but a panic is caught, once it has been counted, and becomes an error: a worker goes
    /// on with the next event.
    pub async fn handle_catching<T, E: ErrorType + From<Panicked>>(
        &self,
        event: &EventMetadata,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E>
    where
        S: Severity<E>,
    {
        let handling = OutcomeFuture::new(self.begin(event), future, failure(self.severity));
        let caught = Caught::new(handling).await;
        caught.unwrap_or_else(|panicked| Err(panicked.into()))
    }

    /// Handles an event where the work is not asynchronous.
    ///
    /// # Panics
    ///
    /// When `work` does.
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
        let site = CallMeta {
            module: self.module,
            ..NO_MODULE
        };
        let handling = Handling::begin(event.event_type(), self.name, site);
        Call::begin(span(event, self.name), handling)
    }
}
