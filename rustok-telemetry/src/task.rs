//! Spawning tasks that outlive a request and stay in its trace.
//!
//! ```
//! use rustok_telemetry::task;
//!
//! # async fn send_mail() {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! task::spawn(send_mail()); // the response does not wait for it
//! # }
//! ```
//!
//! A `tracing` span stays open until its children close. A child span in a spawned task would therefore extend the
//! request's duration in traces and metrics to that of the background work. A task's span is detached instead: it is a
//! root for `tracing`, and a child of the spawning span for OpenTelemetry. It inherits the [tenant] and the current
//! subscriber.
//!
//! The span has one outcome, like a call of an [instrumented function](macro@crate::instrument): ok, panic, or
//! cancelled if the task is aborted or the runtime stops. A returned `Err` is not recorded; use `#[instrument]` on the
//! function that does the work.
//!
//! The span is named `task`, with the spawning source location in `code.file.path` and `code.line.number`. For another
//! name or other fields, pass a span without a parent:
//!
//! ```
//! use rustok_telemetry::task;
//! use tracing::{field::Empty, info_span};
//!
//! # async fn send_mail() {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let span = info_span!(
//!     parent: None,
//!     "send_mail",
//!     tenant_id = Empty, // for the tenant label of span metrics
//!     error.type = Empty, otel.status_code = Empty, otel.status_description = Empty, // for a panic
//!     rustok.outcome = Empty, // for a cancellation
//! );
//! task::spawn_in(span, send_mail());
//! # }
//! ```
//!
//! [`detached`] and [`detached_in`] wrap a future without spawning it, for a `JoinSet` or another executor.

use std::{
    fmt,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::task::JoinHandle;
use tracing::{Dispatch, Span, dispatcher, field::Empty};

use crate::{
    error_type::ErrorName,
    operation::{Call, CallMeta, OutcomeFuture},
    propagation,
    tenant::{self, Tenant},
};

/// Spawns a future on the current tokio runtime in a [detached](self) span `task`.
///
/// # Panics
///
/// Panics outside of a tokio runtime, as [`tokio::spawn`] does.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(detached(future))
}

/// Spawns a future on the current tokio runtime in the given span.
///
/// Create the span with `parent: None`, and do not enter it before. Otherwise it is not [detached](self), and extends
/// the duration of the request. A tenant that the span already has is kept. See the example of the [module](self).
///
/// # Panics
///
/// Panics outside of a tokio runtime, as [`tokio::spawn`] does.
#[track_caller]
pub fn spawn_in<F>(span: Span, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(detached_in(span, future))
}

/// Runs a blocking function on the thread pool of tokio, in a [detached](self) span `task`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let text = rustok_telemetry::task::spawn_blocking(|| "a file's text").await;
/// assert_eq!(text.ok(), Some("a file's text"));
/// # }
/// ```
///
/// A function that has started cannot be aborted. If it is aborted earlier, the span is cancelled.
///
/// # Panics
///
/// Panics outside of a tokio runtime, as [`tokio::task::spawn_blocking`] does.
#[track_caller]
pub fn spawn_blocking<F, T>(function: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let call = begin(task_span(Location::caller()));
    let dispatch = current_dispatch();
    tokio::task::spawn_blocking(move || {
        dispatcher::with_default(&dispatch, || call.run(function, no_error))
    })
}

/// Wraps a future in a [detached](self) span `task`, for any executor.
///
/// Trace, tenant and subscriber are those of the caller.
///
/// ```
/// use rustok_telemetry::task;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut tasks = tokio::task::JoinSet::new();
/// for part in 0..3 {
///     tasks.spawn(task::detached(async move { part * 2 }));
/// }
/// assert_eq!(tasks.join_all().await.iter().sum::<i32>(), 6);
/// # }
/// ```
#[track_caller]
pub fn detached<F: Future>(future: F) -> Task<F> {
    Task::new(task_span(Location::caller()), future)
}

/// Wraps a future in the given span, as [`spawn_in`] does, for any executor.
pub fn detached_in<F: Future>(span: Span, future: F) -> Task<F> {
    Task::new(span, future)
}

pin_project! {
    /// The future of [`detached`], which is polled and dropped within its span.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct Task<F: Future> {
        // `None` only during drop.
        #[pin]
        call: Option<OutcomeFuture<F, fn(&F::Output, &Span) -> Option<ErrorName>>>,
        dispatch: Dispatch,
    }

    impl<F: Future> PinnedDrop for Task<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            dispatcher::with_default(this.dispatch, || this.call.set(None));
        }
    }
}

impl<F: Future> Task<F> {
    fn new(span: Span, future: F) -> Self {
        Self {
            call: Some(OutcomeFuture::new(begin(span), future, no_error)),
            dispatch: current_dispatch(),
        }
    }
}

impl<F: Future> Future for Task<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        match this.call.as_pin_mut() {
            Some(call) => dispatcher::with_default(this.dispatch, || call.poll(context)),
            None => Poll::Pending,
        }
    }
}

impl<F: Future> fmt::Debug for Task<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

fn task_span(caller: &Location<'_>) -> Span {
    tracing::info_span!(
        target: "rustok_telemetry::task",
        parent: None,
        "task",
        code.file.path = caller.file(),
        code.line.number = i64::from(caller.line()),
        tenant_id = Empty,
        otel.status_code = Empty,
        otel.status_description = Empty,
        error.type = Empty,
        rustok.outcome = Empty,
    )
}

/// Starts a call whose span is a child of the current span and has its tenant.
fn begin(span: Span) -> Call {
    propagation::set_parent(&span, opentelemetry::Context::current());
    let tenant = tenant::current();
    tenant::set_default_on(&span, tenant.as_ref().map(Tenant::as_str));
    Call::begin(span, &CallMeta::NO_MODULE)
}

fn current_dispatch() -> Dispatch {
    dispatcher::get_default(Dispatch::clone)
}

fn no_error<T>(_: &T, _: &Span) -> Option<ErrorName> {
    None
}
