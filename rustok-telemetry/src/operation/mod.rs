//! One call of an [instrumented](macro@crate::instrument) function: its span, and the one outcome that it has.

pub(crate) mod in_place;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tracing::Span;

use crate::trace::{
    CANCELLED,
    panics::{self, PANIC},
};
use crate::{error_type::ErrorName, metrics};

/// Severity of a panic in a module.
const CRITICAL: &str = "critical";

/// What is counted of a call, apart from its span.
pub trait OutcomeRecorder {
    /// Whether the message of a panic is recorded, beside its place.
    const RECORDS_PANIC_MESSAGES: bool = true;

    /// Counts the call's one outcome.
    fn count(&mut self, outcome: &Outcome);
}

/// How a call ended.
#[derive(Debug)]
pub enum Outcome {
    /// It returned.
    Ok,
    /// It returned an error.
    Error(Failure),
    /// It unwound.
    Panic,
    /// Its future was dropped before it was done.
    Cancelled,
}

impl Outcome {
    /// The outcome of a call that returned.
    pub(crate) fn of(failure: Option<impl Into<Failure>>) -> Self {
        failure.map_or(Self::Ok, |failure| Self::Error(failure.into()))
    }

    /// Whether the description of the span's status is recorded already.
    fn is_described(&self) -> bool {
        matches!(self, Self::Error(failure) if failure.described)
    }

    /// The type of the error that this is, if it is one.
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
    /// How severe it is, where that differs from error to error.
    pub(crate) severity: Option<&'static str>,
    /// Whether the span's status has a description already; else it gets the type.
    pub(crate) described: bool,
}

impl Failure {
    /// The failure of an error with this name, if there is one.
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

/// The module that a call belongs to.
#[derive(Debug, Clone, Copy)]
pub struct CallMeta {
    /// The module that its errors are counted for.
    pub module: Option<&'static str>,
    /// How severe its errors are for the module.
    pub severity: &'static str,
}

impl CallMeta {
    /// Counts an error, if the call belongs to a module.
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

/// A call that has begun. Dropping it before it has an outcome makes that outcome "cancelled".
#[derive(Debug)]
pub struct Call<A: OutcomeRecorder = &'static CallMeta> {
    pub(crate) span: Span,
    pub(crate) ending: Ending<A>,
}

/// The one outcome that a call is to have.
#[derive(Debug)]
pub(crate) struct Ending<A> {
    account: A,
    open: bool,
}

impl<A: OutcomeRecorder> Call<A> {
    /// A call within a new span.
    pub fn begin(span: Span, account: A) -> Self {
        let open = true;
        let ending = Ending { account, open };
        Self { span, ending }
    }

    /// Runs the body of a function that is not asynchronous. `failure` looks at what it returned, and at the span.
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

    /// Runs a part of the call within its span. If that panics, this is the outcome: by the time that the call is
    /// dropped, the panic may have been caught.
    fn step<T>(&mut self, part: impl FnOnce(&Span) -> (T, Option<Outcome>)) -> T {
        struct Unwinds<'call, A: OutcomeRecorder>(Option<&'call mut Ending<A>>, &'call Span);

        impl<A: OutcomeRecorder> Drop for Unwinds<'_, A> {
            fn drop(&mut self) {
                if let Some(ending) = self.0.take() {
                    ending.finish(&Outcome::Panic, self.1);
                }
            }
        }

        panics::forget();
        let _entered = self.span.enter();
        let mut unwinds = Unwinds(Some(&mut self.ending), &self.span);
        let (value, outcome) = part(&self.span);
        if let (Some(ending), Some(outcome)) = (unwinds.0.take(), outcome) {
            ending.finish(&outcome, &self.span);
        }
        value
    }
}

impl<A: OutcomeRecorder> Drop for Call<A> {
    fn drop(&mut self) {
        self.ending.finish(&Outcome::Cancelled, &self.span);
    }
}

impl<A: OutcomeRecorder> Ending<A> {
    /// The first outcome is the one that counts.
    pub(crate) fn finish(&mut self, outcome: &Outcome, span: &Span) {
        if !std::mem::replace(&mut self.open, false) {
            return;
        }
        if let Outcome::Cancelled = outcome {
            span.record("rustok.outcome", CANCELLED);
        }
        if let Some(error_type) = outcome.error_type() {
            if let Outcome::Panic = outcome {
                panics::report(A::RECORDS_PANIC_MESSAGES);
            }
            span.record("error.type", error_type);
            span.record("otel.status_code", "ERROR");
            // After the code: while the span has not been started, the last of the two counts, and later the one with
            // a description.
            if !outcome.is_described() {
                span.record("otel.status_description", error_type);
            }
        }
        self.account.count(outcome);
    }
}

/// Gives back the body of a function as the `FnOnce` that it is. Without this the compiler takes it for an `FnMut`,
/// which may not return what it borrows.
pub fn once<T, F: FnOnce() -> T>(body: F) -> F {
    body
}

/// Stands for a value of the type that an asynchronous function returns, where the compiler must know the type and the
/// code never runs.
pub fn never_called<T>() -> T {
    unreachable!("this is not called")
}

pin_project! {
    /// The future of an asynchronous call: polled and dropped within the call's span.
    pub struct OutcomeFuture<F, P, A: OutcomeRecorder = &'static CallMeta> {
        // Declared before the call, which counts as cancelled only after this is gone.
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
    /// Watches the body of an asynchronous function. `failure` looks at what it returned.
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
        f.debug_tuple("Watched").field(&self.call).finish()
    }
}
