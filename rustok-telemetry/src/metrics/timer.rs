//! Timers of histograms.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// Records the time from its start to its drop in a histogram, in seconds.
///
/// For each function that records a histogram of seconds, the macro [`metrics`](macro@crate::metrics) generates one
/// that starts a timer: `time_checkout_duration` beside `record_checkout_duration`, with the same labels and without
/// the value. If the function's name does not begin with `record_`, `time_` is prepended to it.
///
/// ```
/// #[rustok_telemetry::metrics(namespace = "shop")]
/// mod shop {
///     use rustok_telemetry::metrics::FAST_SECONDS;
///
///     /// Duration of a checkout.
///     #[histogram(name = "checkout_duration_seconds", boundaries = FAST_SECONDS)]
///     pub fn record_checkout_duration(payment: &str, seconds: f64);
/// }
///
/// fn check_out(goods: &[u64]) -> Option<u64> {
///     let timer = shop::time_checkout_duration("card");
///     if goods.is_empty() {
///         timer.discard(); // Records nothing.
///         return None;
///     }
///     Some(goods.iter().sum())
///     // The timer is dropped here and records.
/// }
/// # check_out(&[1, 2]);
/// ```
///
/// The timer borrows its labels and allocates nothing. Labels are fixed at the start: if the outcome decides a label,
/// measure with [`Instant`] and call the recording function.
///
/// A panic records the time, and so does dropping a future that holds the timer: slow failures stay visible. Beware of
/// `let _ = time_…()`, which drops the timer at once; `let _timer = …` keeps it.
///
/// Records before [`init`](crate::init()) and after shutdown are dropped and counted, as those of the recording
/// function are.
#[must_use = "a timer that is dropped at once measures nothing: keep it with `let _timer = …`"]
pub struct Timer<'labels, const N: usize> {
    labels: [&'labels str; N],
    started: Instant,
    /// `None` after [`stop`](Self::stop) or [`discard`](Self::discard).
    record: Option<fn([&str; N], f64)>,
}

impl<'labels, const N: usize> Timer<'labels, N> {
    /// Starts a timer that ends with a call of `record`. For generated code.
    #[doc(hidden)]
    pub fn start(labels: [&'labels str; N], record: fn([&str; N], f64)) -> Self {
        Self {
            labels,
            started: Instant::now(),
            record: Some(record),
        }
    }

    /// Records the elapsed time now and returns it.
    pub fn stop(mut self) -> Duration {
        self.end()
    }

    /// Ends the timer without recording.
    pub fn discard(mut self) {
        self.record = None;
    }

    fn end(&mut self) -> Duration {
        let time = self.started.elapsed();
        if let Some(record) = self.record.take() {
            record(self.labels, time.as_secs_f64());
        }
        time
    }
}

impl<const N: usize> Drop for Timer<'_, N> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<const N: usize> fmt::Debug for Timer<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer")
            .field("labels", &self.labels)
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}
