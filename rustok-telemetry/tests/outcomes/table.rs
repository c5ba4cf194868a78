//! What is run, and what it must leave behind. The end-to-end test of the workspace runs the same table.

use std::{
    collections::BTreeMap,
    future::{Future, poll_fn},
    panic::AssertUnwindSafe,
    task::Poll,
};

use futures::FutureExt;

use super::{events, functions, http, streams};

/// What is instrumented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Function,
    Handler,
    Stream,
    Event,
}

/// Whether it does its work at once, or waits in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Sync,
    Async,
}

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Ok,
    Err,
    Panic,
    Dropped,
    NeverPolled,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    pub(crate) style: Style,
    pub(crate) end: End,
}

/// How a span must have ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SpanEnd {
    Ok,
    Error(String),
    Cancelled,
}

/// What a case, or several, must leave behind.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Traces {
    /// Every series of the [`WATCHED`] metrics: the metric's name, the labels, the value or the count.
    pub(crate) series: BTreeMap<(&'static str, Labels), f64>,
    /// Every span, by its exported name.
    pub(crate) spans: Vec<(String, SpanEnd)>,
}

pub(crate) type Labels = BTreeMap<String, String>;

pub(crate) const REQUESTS: &str = "rustok_http_requests_total";
pub(crate) const REQUEST_DURATION: &str = "rustok_http_request_duration_seconds";
pub(crate) const STREAM_DURATION: &str = "rustok_http_stream_duration_seconds";
pub(crate) const ACTIVE: &str = "rustok_http_active_connections";
pub(crate) const CREATED: &str = "rustok_spans_created_total";
pub(crate) const CLOSED: &str = "rustok_span_duration_seconds";
pub(crate) const ERRORS: &str = "rustok_spans_with_errors_total";
pub(crate) const CANCELLED: &str = "rustok_spans_cancelled_total";
pub(crate) const MODULE_ERRORS: &str = "rustok_module_errors_total";
pub(crate) const DISPATCHED: &str = "rustok_event_bus_dispatched_total";
pub(crate) const HANDLING: &str = "rustok_event_bus_processing_duration_seconds";
pub(crate) const EVENT_ERRORS: &str = "rustok_event_bus_errors_total";

/// The metrics whose every series is compared.
pub(crate) const WATCHED: [&str; 12] = [
    REQUESTS,
    REQUEST_DURATION,
    STREAM_DURATION,
    ACTIVE,
    CREATED,
    CLOSED,
    ERRORS,
    CANCELLED,
    MODULE_ERRORS,
    DISPATCHED,
    HANDLING,
    EVENT_ERRORS,
];

impl Case {
    /// Every combination that there is: what is done at once cannot be dropped in its middle.
    pub(crate) fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for kind in [Kind::Function, Kind::Handler, Kind::Stream, Kind::Event] {
            for style in [Style::Sync, Style::Async] {
                for end in [
                    End::Ok,
                    End::Err,
                    End::Panic,
                    End::Dropped,
                    End::NeverPolled,
                ] {
                    let case = Self { kind, style, end };
                    if case.is_possible() {
                        cases.push(case);
                    }
                }
            }
        }
        cases
    }

    fn is_possible(&self) -> bool {
        let at_once = self.style == Style::Sync;
        !matches!(
            (self.kind, self.end),
            (Kind::Function, End::Dropped | End::NeverPolled)
                | (Kind::Handler | Kind::Event, End::Dropped) if at_once
        )
    }

    /// Runs it.
    pub(crate) async fn run(&self) {
        match self.kind {
            Kind::Function => functions::run(self).await,
            Kind::Handler => http::run(self).await,
            Kind::Stream => streams::run(self).await,
            Kind::Event => events::run(self).await,
        }
    }

    /// What it must leave behind.
    pub(crate) fn expected(&self) -> Traces {
        match self.kind {
            Kind::Function => functions::expected(self),
            Kind::Handler => http::expected(self),
            Kind::Stream => streams::expected(self),
            Kind::Event => events::expected(self),
        }
    }

    /// Its name, which no other case has.
    pub(crate) fn name(&self) -> String {
        format!("{:?}_{:?}_{:?}", self.kind, self.style, self.end).to_lowercase()
    }
}

impl Traces {
    pub(crate) fn count(&mut self, metric: &'static str, labels: &[(&str, &str)], count: f64) {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        *self.series.entry((metric, labels)).or_default() += count;
    }

    /// A span that was created and closed, under the name of its operation and of a tenant.
    pub(crate) fn span(
        &mut self,
        operation: &str,
        exported_name: &str,
        tenant: &str,
        end: SpanEnd,
    ) {
        let of = ("operation", operation);
        self.count(CREATED, &[of, ("tenant_id", tenant)], 1.0);
        self.count(CLOSED, &[of], 1.0);
        match &end {
            SpanEnd::Ok => {}
            SpanEnd::Error(error_type) => {
                self.count(ERRORS, &[of, ("error_type", error_type)], 1.0);
            }
            SpanEnd::Cancelled => self.count(CANCELLED, &[of], 1.0),
        }
        self.spans.push((exported_name.to_owned(), end));
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (series, value) in other.series {
            *self.series.entry(series).or_default() += value;
        }
        self.spans.extend(other.spans);
        self.spans.sort();
    }
}

/// Polls a future as far as its case wants it, and drops it; a panic is caught outside of it, as runtimes do.
pub(crate) async fn drive<F: Future>(end: End, future: F) {
    let mut future = Box::pin(future);
    match end {
        End::NeverPolled => {}
        End::Dropped => {
            for _ in 0..3 {
                let state = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
                assert!(state.is_pending());
            }
        }
        End::Ok | End::Err | End::Panic => {
            let end_of = AssertUnwindSafe(future.as_mut()).catch_unwind().await;
            assert_eq!(end_of.is_err(), end == End::Panic);
        }
    }
}
