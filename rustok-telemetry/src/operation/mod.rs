//! One operation, such as a call of an [instrumented](macro@crate::instrument) function: its span and its one outcome.

pub(crate) mod in_place;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tracing::Span;

use crate::trace::{
    CANCELLED, native,
    panics::{self, PANIC},
};
use crate::{
    error_type::ErrorName,
    metrics::{self, current_span},
};

/// Severity of a panic, for module errors.
const CRITICAL: &str = "critical";

/// Records the metrics of an operation's outcome.
pub trait OutcomeRecorder {
    /// Whether the message of a panic is recorded, in addition to its location.
    const RECORDS_PANIC_MESSAGES: bool = true;

    /// Counts the operation's outcome.
    fn count(&mut self, outcome: &Outcome);
}

/// Outcome of an operation.
#[derive(Debug)]
pub enum Outcome {
    /// It returned a value that is not an error.
    Ok,
    /// It returned an error.
    Error(Failure),
    /// It panicked.
    Panic,
    /// Its future was dropped before completion.
    Cancelled,
}

impl Outcome {
    /// Returns the outcome of a call that returned.
    pub(crate) fn of(failure: Option<impl Into<Failure>>) -> Self {
        failure.map_or(Self::Ok, |failure| Self::Error(failure.into()))
    }

    /// Records the outcome on the span of the operation. A panic is reported, with its message if `with_message`.
    pub(crate) fn record(&self, span: &Span, with_message: bool) {
        if let Self::Cancelled = self {
            span.record("rustok.outcome", CANCELLED);
        }
        let Some(error_type) = self.error_type() else {
            return;
        };
        if let Self::Panic = self {
            panics::report(with_message);
        }
        span.record("error.type", error_type);
        span.record("otel.status_code", "ERROR");
        // After the code: until the SDK span starts, the last of the two wins, and later the description.
        if !matches!(self, Self::Error(failure) if failure.described) {
            span.record("otel.status_description", error_type);
        }
    }

    /// Returns `error.type` of an error or a panic.
    pub(crate) fn error_type(&self) -> Option<&str> {
        match self {
            Self::Ok | Self::Cancelled => None,
            Self::Error(failure) => Some(failure.name.as_str()),
            Self::Panic => Some(PANIC),
        }
    }
}

/// The error that a call returned.
#[derive(Debug)]
pub struct Failure {
    /// Its type.
    pub(crate) name: ErrorName,
    /// Severity, if it differs from the call's.
    pub(crate) severity: Option<&'static str>,
    /// Whether the status description has been recorded; otherwise it is the type.
    pub(crate) described: bool,
}

impl Failure {
    /// Returns the failure with this name, if there is one.
    pub fn of(name: Option<ErrorName>, described: bool) -> Option<Self> {
        name.map(|name| Self {
            described,
            ..name.into()
        })
    }
}

impl From<ErrorName> for Failure {
    fn from(name: ErrorName) -> Self {
        Self {
            name,
            severity: None,
            described: false,
        }
    }
}

/// Module and severity of an instrumented function.
#[derive(Debug, Clone, Copy)]
pub struct CallMeta {
    /// Module whose errors are counted.
    pub module: Option<&'static str>,
    /// Severity of the function's errors.
    pub severity: &'static str,
}

impl CallMeta {
    /// Meta of a call that belongs to no module.
    pub(crate) const NO_MODULE: Self = Self {
        module: None,
        severity: "error",
    };

    /// Counts an error or panic, if the function has a module.
    pub(crate) fn count(&self, outcome: &Outcome) {
        let severity = match outcome {
            Outcome::Panic => CRITICAL,
            Outcome::Error(failure) => failure.severity.unwrap_or(self.severity),
            Outcome::Ok | Outcome::Cancelled => return,
        };
        if let (Some(module), Some(error_type)) = (self.module, outcome.error_type()) {
            metrics::record_module_error(module, error_type, severity);
        }
    }
}

impl OutcomeRecorder for &'static CallMeta {
    fn count(&mut self, outcome: &Outcome) {
        CallMeta::count(self, outcome);
    }
}

/// A started operation. Dropping it without an outcome cancels it.
#[derive(Debug)]
pub struct Call<A: OutcomeRecorder = &'static CallMeta> {
    pub(crate) span: Span,
    pub(crate) pending: PendingOutcome<A>,
}

/// Accepts the first outcome of an operation and ignores later ones.
#[derive(Debug)]
pub(crate) struct PendingOutcome<A> {
    pub(crate) recorder: A,
    open: bool,
}

impl<A: OutcomeRecorder> Call<A> {
    /// Starts an operation in a new span.
    pub fn begin(span: Span, recorder: A) -> Self {
        let pending = PendingOutcome {
            recorder,
            open: true,
        };
        Self { span, pending }
    }

    /// Runs the body of a synchronous function. `failure` gets the returned value and the span, and returns the error.
    pub fn run<T, E: Into<Failure>>(
        mut self,
        body: impl FnOnce() -> T,
        failure: impl FnOnce(&T, &Span) -> Option<E>,
    ) -> T {
        self.step(|span| {
            let value = body();
            let outcome = Outcome::of(failure(&value, span));
            (value, Some(outcome))
        })
    }

    /// Ends the operation, unless it has ended before.
    pub(crate) fn finish(&mut self, outcome: &Outcome) {
        if !self.pending.is_open() {
            return;
        }
        // The span may not be entered, and the exemplars of its metrics name it.
        current_span::within(&self.span, native::context_of, || {
            self.pending.finish(outcome, &self.span)
        });
    }

    /// Runs a part of the operation in its span. A panic is reported here, because it may have been caught by the time
    /// the call is dropped.
    pub(crate) fn step<T>(&mut self, part: impl FnOnce(&Span) -> (T, Option<Outcome>)) -> T {
        struct Unwinds<'call, A: OutcomeRecorder>(
            Option<&'call mut PendingOutcome<A>>,
            &'call Span,
        );

        impl<A: OutcomeRecorder> Drop for Unwinds<'_, A> {
            fn drop(&mut self) {
                if let Some(pending) = self.0.take() {
                    pending.finish(&Outcome::Panic, self.1);
                }
            }
        }

        panics::forget();
        let _entered = self.span.enter();
        let mut unwinds = Unwinds(Some(&mut self.pending), &self.span);
        let (value, outcome) = part(&self.span);
        if let (Some(pending), Some(outcome)) = (unwinds.0.take(), outcome) {
            pending.finish(&outcome, &self.span);
        }
        value
    }
}

impl<A: OutcomeRecorder> Drop for Call<A> {
    fn drop(&mut self) {
        self.finish(&Outcome::Cancelled);
    }
}

impl<A: OutcomeRecorder> PendingOutcome<A> {
    /// Whether the operation has no outcome yet.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Records the outcome on the span and counts it, if it is the first.
    fn finish(&mut self, outcome: &Outcome, span: &Span) {
        if !std::mem::replace(&mut self.open, false) {
            return;
        }
        outcome.record(span, A::RECORDS_PANIC_MESSAGES);
        self.recorder.count(outcome);
    }
}

/// Makes the compiler infer `FnOnce` for the body of a function. It would infer `FnMut`, which cannot return its
/// borrows.
pub fn once<T, F: FnOnce() -> T>(body: F) -> F {
    body
}

/// Returns a value of any type, in code that never runs and only fixes the type that an asynchronous function returns.
pub fn never_called<T>() -> T {
    unreachable!("this is not called")
}

pin_project! {
    /// The future of an asynchronous operation, polled and dropped in the operation's span.
    pub struct OutcomeFuture<F, P, A: OutcomeRecorder = &'static CallMeta> {
        // Dropped before the call, so that the span of a cancelled operation covers the drop.
        #[pin]
        future: Option<F>,
        failure: Option<P>,
        call: Call<A>,
    }

    impl<F, P, A: OutcomeRecorder> PinnedDrop for OutcomeFuture<F, P, A> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _entered = this.call.span.enter();
                this.future.set(None);
            }
        }
    }
}

impl<F, P, E, A> OutcomeFuture<F, P, A>
where
    F: Future,
    P: FnOnce(&F::Output, &Span) -> Option<E>,
    E: Into<Failure>,
    A: OutcomeRecorder,
{
    /// Wraps the body of an asynchronous function. `failure` gets the returned value and the span, and returns the
    /// error.
    pub fn new(call: Call<A>, future: F, failure: P) -> Self {
        Self {
            future: Some(future),
            failure: Some(failure),
            call,
        }
    }
}

impl<F, P, E, A> Future for OutcomeFuture<F, P, A>
where
    F: Future,
    P: FnOnce(&F::Output, &Span) -> Option<E>,
    E: Into<Failure>,
    A: OutcomeRecorder,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let (future, failure) = (&mut this.future, this.failure);
        let value = ready!(this.call.step(|span| {
            let Some(running) = future.as_mut().as_pin_mut() else {
                panic!("a call was polled after it had ended");
            };
            let Poll::Ready(value) = running.poll(context) else {
                return (Poll::Pending, None);
            };
            let outcome = Outcome::of(failure.take().and_then(|failure| failure(&value, span)));
            (Poll::Ready(value), Some(outcome))
        }));
        this.future.set(None);
        Poll::Ready(value)
    }
}

impl<F, P, A: OutcomeRecorder + fmt::Debug> fmt::Debug for OutcomeFuture<F, P, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OutcomeFuture").field(&self.call).finish()
    }
}
