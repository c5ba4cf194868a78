//! Queries about HTTP requests that several dashboards share.

use crate::dashboards::query::{Counter, Expr, Histogram, Match, Range, Scope};

/// Statuses of failed requests: 5xx, a panic, and an incomplete response body. `client_closed` is excluded, because the
/// client disconnected.
const SERVER_ERRORS: Match<'_> = Match::Like("5..|panic|body_error");

/// The metrics of HTTP requests.
pub(super) struct Http {
    requests: Counter,
    duration: Histogram,
}

impl Http {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            requests: scope.counter("rustok_http_requests_total"),
            duration: scope.histogram("rustok_http_request_duration_seconds"),
        }
    }

    /// Requests per second.
    pub(super) fn rate<const N: usize>(&self, by: [&'static str; N]) -> Expr {
        self.requests.rate(Range::Rate).sum_by(by)
    }

    /// Requests within the range.
    pub(super) fn count<const N: usize>(&self, range: Range, by: [&'static str; N]) -> Expr {
        self.requests.increase(range).sum_by(by)
    }

    /// Share of failed requests of a service: zero if none has failed, absent without requests.
    pub(super) fn error_share(&self) -> Expr {
        let all = self.requests.rate(Range::Rate).sum_by(["job"]);
        let failed = self.requests.with("status", SERVER_ERRORS);
        let failed = failed.rate(Range::Rate).sum_by(["job"]);
        failed.or_zero_of(all.clone()).share_of(all)
    }

    /// A quantile of the request duration of a service.
    pub(super) fn latency(&self, quantile: f64) -> Expr {
        self.duration.quantile(quantile, ["job"])
    }

    /// Requests by duration, for a heatmap.
    pub(super) fn buckets(&self) -> Expr {
        self.duration.buckets().increase(Range::Rate).sum_by(["le"])
    }
}
