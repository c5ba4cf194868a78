//! Publishing events.

use std::borrow::Cow;

use tracing::{Span, field::Empty};

use super::{EventMetadata, severity::failure};
use crate::{
    ErrorType, metrics,
    operation::{Call, CallMeta, Outcome, OutcomeFuture, OutcomeRecorder},
    tenant::{self, Tenant},
};

/// Calls `send` with the metadata of a new event, and returns its result.
///
/// `send` sends the event, within a producer span `event.publish` with the current [tenant](crate::tenant). Its outcome
/// is [counted](super#what-is-recorded).
///
/// ```
/// use rustok_telemetry::event_bus;
/// # let (queue, _events) = tokio::sync::mpsc::channel(1);
///
/// let sent = event_bus::publish("ProductCreated", |metadata| queue.try_send((metadata, "TEA")));
/// assert!(sent.is_ok());
/// ```
pub fn publish<T, E: ErrorType>(
    event_type: impl Into<Cow<'static, str>>,
    send: impl FnOnce(EventMetadata) -> Result<T, E>,
) -> Result<T, E> {
    Publisher::new().publish(event_type, send)
}

/// Publishes an event as [`publish`] does, with an asynchronous `send`. If its future is dropped early, the span is
/// cancelled, and the event counts neither as published nor as an error.
///
/// ```
/// use rustok_telemetry::event_bus;
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let (queue, _events) = tokio::sync::mpsc::channel(1);
///
/// let queue = &queue;
/// let sent = event_bus::publish_async("ProductCreated", |metadata| queue.send((metadata, "TEA")));
/// assert!(sent.await.is_ok());
/// # }
/// ```
pub async fn publish_async<T, E: ErrorType, F: Future<Output = Result<T, E>>>(
    event_type: impl Into<Cow<'static, str>>,
    send: impl FnOnce(EventMetadata) -> F,
) -> Result<T, E> {
    Publisher::new().publish_async(event_type, send).await
}

/// A publisher of events, whose errors can be counted for a module.
///
/// ```
/// use rustok_telemetry::event_bus::Publisher;
///
/// const PUBLISHER: Publisher = Publisher::new().module("event_bus").severity("critical");
/// # let (queue, _events) = std::sync::mpsc::channel();
/// let sent = PUBLISHER.publish("ProductCreated", |metadata| queue.send(metadata));
/// assert!(sent.is_ok());
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "a publisher records nothing until it publishes an event"]
pub struct Publisher {
    meta: CallMeta,
}

impl Publisher {
    /// Creates a publisher without a module.
    pub const fn new() -> Self {
        Self {
            meta: CallMeta::NO_MODULE,
        }
    }

    /// Also counts errors in `rustok_module_errors_total`, for this module.
    pub const fn module(mut self, module: &'static str) -> Self {
        self.meta.module = Some(module);
        self
    }

    /// Sets the severity of an error for the module. The default is `error`. A panic is always `critical`.
    pub const fn severity(mut self, severity: &'static str) -> Self {
        self.meta.severity = severity;
        self
    }

    /// Publishes an event, as [`publish`] does.
    pub fn publish<T, E: ErrorType>(
        &self,
        event_type: impl Into<Cow<'static, str>>,
        send: impl FnOnce(EventMetadata) -> Result<T, E>,
    ) -> Result<T, E> {
        let event_type = event_type.into();
        let call = self.begin(event_type.clone());
        call.run(
            || send(EventMetadata::now(event_type)),
            failure(self.meta.severity),
        )
    }

    /// Publishes an event, as [`publish_async`] does.
    pub async fn publish_async<T, E: ErrorType, F: Future<Output = Result<T, E>>>(
        &self,
        event_type: impl Into<Cow<'static, str>>,
        send: impl FnOnce(EventMetadata) -> F,
    ) -> Result<T, E> {
        let event_type = event_type.into();
        let call = self.begin(event_type.clone());
        let sending = async { send(EventMetadata::now(event_type)).await };
        OutcomeFuture::new(call, sending, failure(self.meta.severity)).await
    }

    fn begin(&self, event_type: Cow<'static, str>) -> Call<Publication> {
        let tenant = tenant::current();
        let span = span(&event_type, tenant.as_ref());
        let publication = Publication {
            event_type,
            tenant,
            meta: self.meta,
        };
        Call::begin(span, publication)
    }
}

impl Default for Publisher {
    fn default() -> Self {
        Self::new()
    }
}

/// Records the outcome of a publication.
struct Publication {
    event_type: Cow<'static, str>,
    tenant: Option<Tenant>,
    meta: CallMeta,
}

impl OutcomeRecorder for Publication {
    fn count(&mut self, outcome: &Outcome) {
        if let Outcome::Ok = outcome {
            let tenant = self.tenant.as_ref().map_or(metrics::NONE, Tenant::as_str);
            metrics::record_event_published(&self.event_type, tenant);
        }
        if let Some(error_type) = outcome.error_type() {
            metrics::record_event_error(&self.event_type, error_type);
        }
        self.meta.count(outcome);
    }
}

fn span(event_type: &str, tenant: Option<&Tenant>) -> Span {
    tracing::info_span!(
        "event.publish",
        otel.kind = "producer",
        messaging.operation.type = "send",
        messaging.operation.name = "publish",
        messaging.destination.name = event_type,
        tenant_id = tenant.map(Tenant::as_str),
        error.type = Empty,
        otel.status_code = Empty,
        otel.status_description = Empty,
        rustok.outcome = Empty,
    )
}
