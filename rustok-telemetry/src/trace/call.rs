//! One call of an [instrumented](macro@crate::instrument) function: its span, and the one outcome that it has.

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
pub struct Call {
    span: Span,
    ending: Ending,
}

/// The one outcome that a call is to have.
#[derive(Debug)]
struct Ending {
    site: &'static Site,
    open: bool,
}

/// How a call ended.
enum Outcome {
    Ok,
    Error(ErrorName),
    Panic,
    Cancelled,
}

impl Call {
    /// A call within a new span.
    pub fn begin(span: Span, site: &'static Site) -> Self {
        let ending = Ending { site, open: true };
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
        struct Unwinds<'call>(Option<&'call mut Ending>, &'call Span);

        impl Drop for Unwinds<'_> {
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

impl Drop for Call {
    fn drop(&mut self) {
        self.ending.reach(&Outcome::Cancelled, &self.span);
    }
}

impl Ending {
    /// The first outcome is the one that counts.
    fn reach(&mut self, outcome: &Outcome, span: &Span) {
        if !std::mem::replace(&mut self.open, false) {
            return;
        }
        match outcome {
            Outcome::Ok => {}
            Outcome::Error(name) => self.fail(name.as_str(), self.site.severity, span),
            Outcome::Panic => self.fail(PANIC, CRITICAL, span),
            Outcome::Cancelled => {
                span.record("rustok.outcome", CANCELLED);
            }
        }
    }

    fn fail(&self, error_type: &str, severity: &str, span: &Span) {
        span.record("error.type", error_type);
        span.record("otel.status_code", "ERROR");
        if let Some(module) = self.site.module {
            metrics::record_module_error(module, error_type, severity);
        }
    }
}

/// Gives back the body of a function as the `FnOnce` that it is. Without this the compiler takes it for an `FnMut`,
/// which may not return what it borrows.
pub fn once<T, F: FnOnce() -> T>(body: F) -> F {
    body
}

pin_project! {
    /// The future of an asynchronous call: polled and dropped within the call's span.
    pub struct Watched<F, P> {
        // Declared before the call, which counts as cancelled only after this is gone.
        #[pin]
        future: Option<F>,
        failure: Option<P>,
        call: Call,
    }

    impl<F, P> PinnedDrop for Watched<F, P> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _entered = this.call.span.enter();
                this.future.set(None);
            }
        }
    }
}

impl<F: Future, P: FnOnce(&F::Output) -> Option<ErrorName>> Watched<F, P> {
    /// Watches the body of an asynchronous function. `failure` looks at what it returned.
    pub fn new(call: Call, future: F, failure: P) -> Self {
        Self {
            future: Some(future),
            failure: Some(failure),
            call,
        }
    }
}

impl<F: Future, P: FnOnce(&F::Output) -> Option<ErrorName>> Future for Watched<F, P> {
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

impl<F, P> fmt::Debug for Watched<F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.call).finish()
    }
}
