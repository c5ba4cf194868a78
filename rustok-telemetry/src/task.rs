//! Work that outlives the request that began it, and stays part of its trace.
//!
//! ```
//! use rustok_telemetry::task;
//!
//! # async fn send_mail() {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! task::spawn(send_mail());                // the request is answered meanwhile
//! # }
//! ```
//!
//! A `tracing` span stays open as long as it has open children. So a child span in a spawned task would make the
//! request last as long as its background work, in the traces and in the metrics. A task's span is therefore detached:
//! `tracing` sees a root, and OpenTelemetry a child of the span that spawned it. It also has the
//! [tenant] of the spawning work, and the subscriber that was current.
//!
//! Each task has one outcome on its span, as calls of [instrumented functions](macro@crate::instrument) have: ok,
//! panic, or cancelled if it was aborted or the runtime stopped. An `Err` that a task returns is not looked at;
//! give the function that does the work `#[instrument]` for that.
//!
//! The span is called `task`, with the place that spawned it as `code.file.path` and `code.line.number`. To give it
//! another name, or fields, make it detached and hand it over:
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
//!     tenant_id = Empty,       // to be counted for the tenant
//!     error.type = Empty, otel.status_code = Empty, otel.status_description = Empty, // to show a panic
//!     rustok.outcome = Empty,  // to show that it was cancelled
//! );
//! task::spawn_in(span, send_mail());
//! # }
//! ```
//!
//! [`detached`] and [`detached_in`] only wrap the future, for a `JoinSet` or any other executor.

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

/// Spawns a future on the current tokio runtime, within a [detached](self) span `task`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let sum = rustok_telemetry::task::spawn(async { 1 + 2 }).await;
/// assert_eq!(sum.ok(), Some(3));
/// # }
/// ```
///
/// # Panics
///
/// Outside of a tokio runtime, as [`tokio::spawn`] does.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(detached(future))
}

/// Spawns a future on the current tokio runtime, within a span of the caller's, which becomes the task's.
///
/// The span should have been made with `parent: None`, and not entered yet: else the [reasons](self) for a detached
/// span come true. A tenant that it has already stays.
///
/// ```
/// use rustok_telemetry::task;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let span = tracing::info_span!(parent: None, "send_mail", tenant_id = tracing::field::Empty);
/// task::spawn_in(span, async { /* … */ });
/// # }
/// ```
///
/// # Panics
///
/// Outside of a tokio runtime, as [`tokio::spawn`] does.
#[track_caller]
pub fn spawn_in<F>(span: Span, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(detached_in(span, future))
}

/// Runs a function that blocks on a thread for that, within a [detached](self) span `task`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let text = rustok_telemetry::task::spawn_blocking(|| "a file's text").await;
/// assert_eq!(text.ok(), Some("a file's text"));
/// # }
/// ```
///
/// A function that has begun cannot be aborted; one that was aborted before is cancelled.
///
/// # Panics
///
/// Outside of a tokio runtime, as [`tokio::task::spawn_blocking`] does.
#[track_caller]
pub fn spawn_blocking<F, T>(function: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let call = begin(task_span(Location::caller()));
    let dispatch = current_dispatch();
    tokio::task::spawn_blocking(move || {
        dispatcher::with_default(&dispatch, || call.run(function, not_looked_at))
    })
}

/// Wraps a future in a [detached](self) span `task`, to be handed to any executor.
///
/// The trace, the tenant and the subscriber are those of the place where this is called.
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

/// Wraps a future in a span of the caller's, as [`spawn_in`] does, to be handed to any executor.
///
/// ```
/// use rustok_telemetry::task;
///
/// let span = tracing::info_span!(parent: None, "send_mail");
/// futures::executor::block_on(task::detached_in(span, async { /* … */ }));
/// ```
pub fn detached_in<F: Future>(span: Span, future: F) -> Task<F> {
    Task::new(span, future)
}

pin_project! {
    /// The future of [`detached`]: polled and dropped within its span.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct Task<F: Future> {
        // None only while it is dropped.
        #[pin]
        watched: Option<OutcomeFuture<F, fn(&F::Output, &Span) -> Option<ErrorName>>>,
        dispatch: Dispatch,
    }

    impl<F: Future> PinnedDrop for Task<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            dispatcher::with_default(this.dispatch, || this.watched.set(None));
        }
    }
}

impl<F: Future> Task<F> {
    fn new(span: Span, future: F) -> Self {
        Self {
            watched: Some(OutcomeFuture::new(begin(span), future, not_looked_at)),
            dispatch: current_dispatch(),
        }
    }
}

impl<F: Future> Future for Task<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        match this.watched.as_pin_mut() {
            Some(watched) => dispatcher::with_default(this.dispatch, || watched.poll(context)),
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

/// Links the span to the current work, which it outlives.
fn begin(span: Span) -> Call {
    static SITE: CallMeta = CallMeta {
        module: None,
        severity: "error",
    };
    propagation::set_parent(&span, opentelemetry::Context::current());
    let tenant = tenant::current();
    tenant::set_default_on(&span, tenant.as_ref().map(Tenant::as_str));
    Call::begin(span, &SITE)
}

fn current_dispatch() -> Dispatch {
    dispatcher::get_default(Dispatch::clone)
}

fn not_looked_at<T>(_: &T, _: &Span) -> Option<ErrorName> {
    None
}
