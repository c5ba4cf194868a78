//! One call, of an [instrumented](macro@crate::instrument) function or of a part of the SDK: its span, and the one
//! outcome that it has.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tracing::Span;

use crate::{error_type::ErrorName, metrics};

/// `error.type` of a panic.
const PANIC: &str = "panic";

/// Severity of a panic in a module.
const CRITICAL: &str = "critical";

/// `rustok.outcome` of a call whose future was dropped before it was done.
pub(crate) const CANCELLED: &str = "cancelled";

/// Is told of a call's outcome, once, after it has been recorded on the span.
pub trait Witness {
    /// The call has ended.
    fn ended(&self, outcome: &Outcome);
}

/// What a call belongs to, apart from its span.
#[derive(Debug)]
pub struct Site {
    /// The module that its errors are counted for.
    pub module: Option<&'static str>,
    /// How severe its errors are for the module.
    pub severity: &'static str,
}

/// A call that has begun. Dropping it before it has an outcome makes that outcome "cancelled".
#[derive(Debug)]
pub struct Call<W: Witness = &'static Site> {
    span: Span,
    ending: Ending<W>,
}

/// The one outcome that a call is to have.
#[derive(Debug)]
struct Ending<W> {
    witness: W,
    open: bool,
}

/// How a call ended.
#[derive(Debug)]
pub enum Outcome {
    /// Well.
    Ok,
    /// It returned an error.
    Error(ErrorName),
    /// It panicked.
    Panic,
    /// It was dropped before it was done.
    Cancelled,
}

impl Outcome {
    /// `error.type`, if the call ended in an error.
    pub(crate) fn error_type(&self) -> Option<&str> {
        match self {
            Self::Error(name) => Some(name.as_str()),
            Self::Panic => Some(PANIC),
            Self::Ok | Self::Cancelled => None,
        }
    }
}

impl Witness for &'static Site {
    fn ended(&self, outcome: &Outcome) {
        if let (Some(module), Some(error_type)) = (self.module, outcome.error_type()) {
            let severity = match outcome {
                Outcome::Panic => CRITICAL,
                _ => self.severity,
            };
            metrics::record_module_error(module, error_type, severity);
        }
    }
}

impl<W: Witness> Call<W> {
    /// A call within a new span, which declares `error.type`, `otel.status_code` and `rustok.outcome`.
    pub fn begin(span: Span, witness: W) -> Self {
        let ending = Ending {
            witness,
            open: true,
        };
        Self { span, ending }
    }

    /// Runs the body of a function that is not asynchronous. `failure` looks at what it returned.
    pub fn run<T>(
        mut self,
        body: impl FnOnce() -> T,
        failure: impl FnOnce(&T) -> Option<ErrorName>,
    ) -> T {
        self.step(|| {
            let value = body();
            let failure = failure(&value);
            (value, Some(failure.map_or(Outcome::Ok, Outcome::Error)))
        })
    }

    /// Runs a part of the call within its span. If that panics, this is the outcome: by the time that the call is
    /// dropped, the panic may have been caught.
    fn step<T>(&mut self, part: impl FnOnce() -> (T, Option<Outcome>)) -> T {
        struct Unwinds<'call, W: Witness>(Option<&'call mut Ending<W>>, &'call Span);

        impl<W: Witness> Drop for Unwinds<'_, W> {
            fn drop(&mut self) {
                if let Some(ending) = self.0.take() {
                    ending.reach(&Outcome::Panic, self.1);
                }
            }
        }

        let _entered = self.span.enter();
        let mut unwinds = Unwinds(Some(&mut self.ending), &self.span);
        let (value, outcome) = part();
        if let (Some(ending), Some(outcome)) = (unwinds.0.take(), outcome) {
            ending.reach(&outcome, &self.span);
        }
        value
    }
}

impl<W: Witness> Drop for Call<W> {
    fn drop(&mut self) {
        self.ending.reach(&Outcome::Cancelled, &self.span);
    }
}

impl<W: Witness> Ending<W> {
    /// The first outcome is the one that counts.
    fn reach(&mut self, outcome: &Outcome, span: &Span) {
        if !std::mem::replace(&mut self.open, false) {
            return;
        }
        if let Some(error_type) = outcome.error_type() {
            span.record("error.type", error_type);
            span.record("otel.status_code", "ERROR");
        }
        if matches!(outcome, Outcome::Cancelled) {
            span.record("rustok.outcome", CANCELLED);
        }
        self.witness.ended(outcome);
    }
}

/// Gives back the body of a function as the `FnOnce` that it is. Without this the compiler takes it for an `FnMut`,
/// which may not return what it borrows.
pub fn once<T, F: FnOnce() -> T>(body: F) -> F {
    body
}

pin_project! {
    /// The future of an asynchronous call: polled and dropped within the call's span.
    pub struct Watched<F, P, W: Witness = &'static Site> {
        // Declared before the call, which counts as cancelled only after this is gone.
        #[pin]
        future: Option<F>,
        failure: Option<P>,
        call: Call<W>,
    }

    impl<F, P, W: Witness> PinnedDrop for Watched<F, P, W> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _entered = this.call.span.enter();
                this.future.set(None);
            }
        }
    }
}

impl<F, P, W> Watched<F, P, W>
where
    F: Future,
    P: FnOnce(&F::Output) -> Option<ErrorName>,
    W: Witness,
{
    /// Watches the body of an asynchronous function. `failure` looks at what it returned.
    pub fn new(call: Call<W>, future: F, failure: P) -> Self {
        Self {
            future: Some(future),
            failure: Some(failure),
            call,
        }
    }
}

impl<F, P, W> Future for Watched<F, P, W>
where
    F: Future,
    P: FnOnce(&F::Output) -> Option<ErrorName>,
    W: Witness,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let (future, failure) = (&mut this.future, this.failure);
        let value = ready!(this.call.step(|| {
            let Some(running) = future.as_mut().as_pin_mut() else {
                panic!("a call was polled after it had ended");
            };
            let Poll::Ready(value) = running.poll(context) else {
                return (Poll::Pending, None);
            };
            let failure = failure.take().and_then(|failure| failure(&value));
            (
                Poll::Ready(value),
                Some(failure.map_or(Outcome::Ok, Outcome::Error)),
            )
        }));
        this.future.set(None);
        Poll::Ready(value)
    }
}

impl<F, P, W: Witness> fmt::Debug for Watched<F, P, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.call.span).finish()
    }
}
