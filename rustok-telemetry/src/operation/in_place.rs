//! Support for `#[track_caller]` functions, whose body is not a closure: the guard of such a call, stable counterparts
//! of the standard library's traits behind `?`, and detection of functions that return a `Result`.

use std::{
    convert::Infallible as Never, marker::PhantomData, ops::ControlFlow, task::Poll, thread,
};

use tracing::{Span, span::EnteredSpan};

use super::{Call, CallMeta, Failure, Outcome, OutcomeRecorder};
use crate::error_type::ErrorName;
use crate::trace::panics;

/// `error.type` of a call that returned an unobserved `Result`.
const ERROR: &str = "error";

impl<A: OutcomeRecorder> Call<A> {
    /// Enters the span, for a body that is not a closure. `fallible` is whether the function returns a `Result`.
    pub fn enter(self, fallible: bool) -> Entered<A> {
        panics::forget();
        Entered {
            fallible,
            in_panic: thread::panicking(),
            _entered: self.span.clone().entered(),
            call: self,
        }
    }
}

/// A call with its span entered, whose body runs between [`Call::enter`] and [`finish`](Self::finish). If it is dropped
/// earlier, the call panicked or returned from within a macro's arguments; such a return counts as an error if the
/// function returns a `Result`.
#[derive(Debug)]
pub struct Entered<A: OutcomeRecorder = &'static CallMeta> {
    fallible: bool,
    /// Whether a destructor made the call during unwinding.
    in_panic: bool,
    // Dropped before the call, which closes the span.
    _entered: EnteredSpan,
    call: Call<A>,
}

impl<A: OutcomeRecorder> Entered<A> {
    /// Ends the call with the value that its body returned.
    pub fn finish<T, E: Into<Failure>>(
        mut self,
        _: Returns<T>,
        value: T,
        failure: impl FnOnce(&T, &Span) -> Option<E>,
    ) -> T {
        let outcome = Outcome::of(failure(&value, &self.call.span));
        self.call.finish(&outcome);
        value
    }
}

impl<A: OutcomeRecorder> Drop for Entered<A> {
    fn drop(&mut self) {
        let outcome = if thread::panicking() && !self.in_panic {
            Outcome::Panic
        } else if self.fallible {
            Outcome::Error(ErrorName::given(ERROR).into())
        } else {
            Outcome::Ok
        };
        self.call.finish(&outcome);
    }
}

/// A type that `?` can be applied to, like `std::ops::Try`.
pub trait Branch {
    /// Type of the value that `?` evaluates to.
    type Output;
    /// Type of the value that `?` returns.
    type Residual;

    /// Returns the output or the residual.
    fn branch(self) -> ControlFlow<Self::Residual, Self::Output>;
}

/// A return type of functions that use `?`, like `std::ops::FromResidual`.
pub trait FromResidual<R> {
    /// Converts the residual to the returned value.
    fn from_residual(residual: R) -> Self;
}

impl<T, E> Branch for Result<T, E> {
    type Output = T;
    type Residual = Result<Never, E>;

    fn branch(self) -> ControlFlow<Self::Residual, T> {
        match self {
            Ok(value) => ControlFlow::Continue(value),
            Err(error) => ControlFlow::Break(Err(error)),
        }
    }
}

impl<T> Branch for Option<T> {
    type Output = T;
    type Residual = Option<Never>;

    fn branch(self) -> ControlFlow<Self::Residual, T> {
        self.map_or(ControlFlow::Break(None), ControlFlow::Continue)
    }
}

impl<B, C> Branch for ControlFlow<B, C> {
    type Output = C;
    type Residual = ControlFlow<B, Never>;

    fn branch(self) -> ControlFlow<Self::Residual, C> {
        match self {
            Self::Continue(value) => ControlFlow::Continue(value),
            Self::Break(value) => ControlFlow::Break(ControlFlow::Break(value)),
        }
    }
}

impl<T, E> Branch for Poll<Result<T, E>> {
    type Output = Poll<T>;
    type Residual = Result<Never, E>;

    fn branch(self) -> ControlFlow<Self::Residual, Poll<T>> {
        match self {
            Self::Pending => ControlFlow::Continue(Poll::Pending),
            Self::Ready(result) => result.branch().map_continue(Poll::Ready),
        }
    }
}

impl<T, E> Branch for Poll<Option<Result<T, E>>> {
    type Output = Poll<Option<T>>;
    type Residual = Result<Never, E>;

    fn branch(self) -> ControlFlow<Self::Residual, Poll<Option<T>>> {
        let next = |next: Option<T>| ControlFlow::Continue(Poll::Ready(next));
        match self {
            Self::Pending => ControlFlow::Continue(Poll::Pending),
            Self::Ready(None) => next(None),
            Self::Ready(Some(Ok(value))) => next(Some(value)),
            Self::Ready(Some(Err(error))) => ControlFlow::Break(Err(error)),
        }
    }
}

impl<T, E, F: From<E>> FromResidual<Result<Never, E>> for Result<T, F> {
    #[track_caller]
    fn from_residual(residual: Result<Never, E>) -> Self {
        match residual {
            Err(error) => Err(F::from(error)),
        }
    }
}

impl<T> FromResidual<Option<Never>> for Option<T> {
    fn from_residual(_: Option<Never>) -> Self {
        None
    }
}

impl<B, C> FromResidual<ControlFlow<B, Never>> for ControlFlow<B, C> {
    fn from_residual(residual: ControlFlow<B, Never>) -> Self {
        match residual {
            ControlFlow::Break(value) => Self::Break(value),
        }
    }
}

impl<T, E, F: From<E>> FromResidual<Result<Never, E>> for Poll<Result<T, F>> {
    #[track_caller]
    fn from_residual(residual: Result<Never, E>) -> Self {
        Self::Ready(Result::from_residual(residual))
    }
}

impl<T, E, F: From<E>> FromResidual<Result<Never, E>> for Poll<Option<Result<T, F>>> {
    #[track_caller]
    fn from_residual(residual: Result<Never, E>) -> Self {
        Self::Ready(Some(Result::from_residual(residual)))
    }
}

/// The return type of a function. With the two traits below in scope, `(&&returns).__rustok_is_fallible()` returns
/// whether it is a `Result` (autoref specialization).
#[derive(Debug)]
pub struct Returns<T>(PhantomData<fn() -> T>);

impl<T> Returns<T> {
    /// Creates a marker of the type.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for Returns<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A `Result`.
pub trait Fallible {
    /// Returns `true`.
    fn __rustok_is_fallible(&self) -> bool;
}

/// Any other type.
pub trait Infallible {
    /// Returns `false`.
    fn __rustok_is_fallible(&self) -> bool;
}

impl<T, E> Fallible for &Returns<Result<T, E>> {
    fn __rustok_is_fallible(&self) -> bool {
        true
    }
}

impl<T> Infallible for Returns<T> {
    fn __rustok_is_fallible(&self) -> bool {
        false
    }
}
