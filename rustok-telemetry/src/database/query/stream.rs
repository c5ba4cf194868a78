//! Queries whose rows arrive one after the other.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::stream::{BoxStream, Stream};

use super::{Began, Query};
use crate::{
    ErrorType,
    error_type::ErrorName,
    operation::{Call, Outcome},
};

/// The rows of a query, measured from the first poll to the end of the stream. The first error is the outcome of the
/// query. A stream that is dropped earlier is cancelled.
pub(in crate::database) struct OutcomeStream<'e, T, E> {
    /// `None` after the end.
    rows: Option<BoxStream<'e, Result<T, E>>>,
    query: Query,
    /// `None` before the first poll, and after the end.
    call: Option<Call<Began>>,
}

impl Query {
    /// Runs a query that returns a stream of rows.
    pub(in crate::database) fn run_stream<T, E: ErrorType>(
        self,
        rows: BoxStream<'_, Result<T, E>>,
    ) -> OutcomeStream<'_, T, E> {
        OutcomeStream {
            rows: Some(rows),
            query: self,
            call: None,
        }
    }
}

impl<T, E: ErrorType> Stream for OutcomeStream<'_, T, E> {
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { rows, query, call } = self.get_mut();
        let Some(running) = rows else {
            return Poll::Ready(None);
        };
        let next = call.get_or_insert_with(|| query.begin()).step(|_| {
            let next = running.as_mut().poll_next(context);
            let outcome = match &next {
                Poll::Pending | Poll::Ready(Some(Ok(_))) => None,
                Poll::Ready(Some(Err(error))) => {
                    let name = ErrorName::given(error.error_type());
                    Some(Outcome::Error(name.into()))
                }
                Poll::Ready(None) => Some(Outcome::Ok),
            };
            (next, outcome)
        });
        if let Poll::Ready(None) = next {
            (*rows, *call) = (None, None);
        }
        next
    }
}

impl<T, E> Drop for OutcomeStream<'_, T, E> {
    fn drop(&mut self) {
        // In the span, which covers the drop of the rows of a cancelled query.
        let _entered = self.call.as_ref().map(|call| call.span.enter());
        self.rows = None;
    }
}
