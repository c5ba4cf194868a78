//! The handling side.

use super::{
    EventMetadata, NO_MODULE, Panicked, failure,
    handling::{Handling, span},
    panicked::Caught,
};
use crate::{
    ErrorType,
    trace::call::{Call, Site, Watched},
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
pub struct Handler<'name> {
    name: &'name str,
    site: Site,
}

impl<'name> Handler<'name> {
    /// A handler that belongs to no module. Its name becomes a label, and the name of its spans in the traces.
    pub const fn new(name: &'name str) -> Self {
        let site = NO_MODULE;
        Self { name, site }
    }

    /// Counts errors in `rustok_module_errors_total` for this module.
    #[must_use]
    pub const fn module(mut self, module: &'static str) -> Self {
        self.site.module = Some(module);
        self
    }

    /// How severe an error is for the module: `error` unless said otherwise. A panic is always `critical`.
    #[must_use]
    pub const fn severity(mut self, severity: &'static str) -> Self {
        self.site.severity = severity;
        self
    }

    /// As the function [`handle`].
    ///
    /// # Panics
    ///
    /// When `future` does.
    pub async fn handle<T, E: ErrorType>(
        &self,
        event: &EventMetadata,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        Watched::new(self.begin(event), future, failure).await
    }

    /// As [`handle`](Self::handle), but a panic is caught, once it has been counted, and becomes an error: a worker goes
    /// on with the next event.
    pub async fn handle_catching<T, E: ErrorType + From<Panicked>>(
        &self,
        event: &EventMetadata,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let handling = Watched::new(self.begin(event), future, failure);
        Caught::new(handling)
            .await
            .unwrap_or_else(|panicked| Err(panicked.into()))
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
    ) -> Result<T, E> {
        self.begin(event).run(work, failure)
    }

    fn begin<'event>(&self, event: &'event EventMetadata) -> Call<Handling<'event>>
    where
        'name: 'event,
    {
        let handling = Handling::begin(event.event_type(), self.name, self.site);
        Call::begin(span(event, self.name), handling)
    }
}
