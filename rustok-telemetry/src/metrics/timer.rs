//! Timers of histograms.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// Measures the time until it is dropped, and records it.
///
/// The macro [`metrics`](macro@crate::metrics) makes a function that starts a timer beside each function that records
/// a histogram of seconds: `time_checkout_duration` beside `record_checkout_duration`, with the same labels and without
/// the value. A function whose name does not begin with `record_` gets `time_` in front of it.
///
/// ```
/// #[rustok_telemetry::metrics(namespace = "shop")]
/// mod shop {
///     use rustok_telemetry::metrics::FAST_SECONDS;
///
///     /// Time that a checkout took.
///     #[histogram(name = "checkout_duration_seconds", boundaries = FAST_SECONDS)]
///     pub fn record_checkout_duration(payment: &str, seconds: f64);
/// }
///
/// fn check_out(goods: &[u64]) -> Option<u64> {
///     let timer = shop::time_checkout_duration("card");
///     if goods.is_empty() {
///         timer.discard(); // That was no checkout.
///         return None;
///     }
///     Some(goods.iter().sum())
///     // The timer ends here.
/// }
/// # check_out(&[1, 2]);
/// ```
///
/// It borrows the labels, so that starting and stopping it allocates nothing. The labels are those of its start: where
/// the outcome decides a label, [measure](Instant) and record.
///
/// A panic ends the timer as a return does: the time was spent, and a histogram without it would look better than the
/// service is. So does the drop of a future that holds the timer. `let _ = time_…()` drops it at once, `let _timer`
/// doesn't.
///
/// What is recorded goes where the recording function sends it: before [`init`](crate::init()) and after shutdown it
/// is counted as lost.
#[must_use = "a timer that is dropped at once measures nothing: keep it with `let _timer = …`"]
pub struct Timer<'labels, const N: usize> {
    labels: [&'labels str; N],
    started: Instant,
    /// Nothing once the time has been recorded, or is not to be.
    record: Option<fn([&str; N], f64)>,
}

impl<'labels, const N: usize> Timer<'labels, N> {
    /// Starts a timer that ends with a call of `record`. For the functions that the macro makes.
    #[doc(hidden)]
    pub fn start(labels: [&'labels str; N], record: fn([&str; N], f64)) -> Self {
        Self {
            labels,
            started: Instant::now(),
            record: Some(record),
        }
    }

    /// Records the time now, and tells it.
    pub fn stop(mut self) -> Duration {
        self.end()
    }

    /// Records nothing.
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
