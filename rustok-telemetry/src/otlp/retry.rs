//! When a failed request is sent again, by the rules of the OTLP specification: exponential backoff with jitter.
//!
//! Each signal has one schedule. Spans and log records are sent again for as long as they fit in the queue or the spool.
//! Metrics have no queue: the retries that belong to an export are all.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

/// The interval after the first failure; each following one is twice as long. At least half of it is waited, and at most
/// all of it, at random, so that clients do not retry at the same time.
const INITIAL_INTERVAL: Duration = Duration::from_millis(200);

/// Limits of the longest interval. Within them it is the delay between two exports.
const SHORTEST_MAX_INTERVAL: Duration = Duration::from_millis(500);
const LONGEST_MAX_INTERVAL: Duration = Duration::from_secs(5);

/// Most that is added to a pause that the receiver requested, at random.
const JITTER: Duration = Duration::from_millis(100);

/// Longest pause that a receiver can request.
const LONGEST_REQUESTED: Duration = Duration::from_secs(30);

/// Retries that belong to an export: it counts as failed when they have failed, too.
const RETRIES_OF_EXPORT: u32 = 3;

#[derive(Debug)]
pub(super) struct Failed {
    pub(super) reason: String,
    pub(super) retry: Retry,
}

/// Whether a failed request is retried, the latest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Retry {
    Never,
    Later,
    /// Not before this time, which the receiver requested.
    After(Duration),
}

/// The pauses between attempts, since the last success.
#[derive(Debug)]
pub(super) struct RetrySchedule {
    max_interval: Duration,
    /// Time within which the retries of an export begin.
    timeout: Duration,
    interval: Duration,
    retries: u32,
    /// When the first failed attempt began.
    began: Option<Instant>,
}

/// What follows a failure that is temporary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    pub(super) pause: Duration,
    /// Whether the retry belongs to the same export.
    pub(super) is_within_export: bool,
}

impl RetrySchedule {
    /// `delay` is the time between two exports, and `timeout` that of a request.
    pub(super) fn new(delay: Duration, timeout: Duration) -> Self {
        Self {
            max_interval: delay.clamp(SHORTEST_MAX_INTERVAL, LONGEST_MAX_INTERVAL),
            timeout,
            interval: INITIAL_INTERVAL,
            retries: 0,
            began: None,
        }
    }

    /// Resets the pauses and the retries: after a success, and before a flush or a shutdown.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.max_interval, self.timeout);
    }

    /// Returns the pause after an attempt that began at `began` and failed.
    pub(super) fn back_off(&mut self, began: Instant, retry: Retry) -> Backoff {
        let half = self.interval / 2;
        let mut pause = half + at_most(half);
        if let Retry::After(requested) = retry {
            pause = pause.max(requested.min(LONGEST_REQUESTED) + at_most(JITTER));
        }
        self.interval = (self.interval * 2).min(self.max_interval);
        self.retries += 1;
        let left = self
            .timeout
            .saturating_sub(self.began.get_or_insert(began).elapsed());
        Backoff {
            pause,
            is_within_export: self.retries <= RETRIES_OF_EXPORT && pause < left,
        }
    }
}

/// Returns a random time up to `limit`.
fn at_most(limit: Duration) -> Duration {
    // A `RandomState` has random keys.
    let random = RandomState::new().hash_one(());
    limit.mul_f64(random as f64 / u64::MAX as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);

    fn after(seconds: u32) -> Retry {
        match seconds {
            0 => Retry::Later,
            _ => Retry::After(seconds * SECOND),
        }
    }

    fn pauses<const COUNT: usize>(delay: Duration, requested: [u32; COUNT]) -> [u64; COUNT] {
        let mut schedule = RetrySchedule::new(delay, MINUTE);
        requested.map(|seconds| {
            let backoff = schedule.back_off(Instant::now(), after(seconds));
            backoff.pause.as_millis() as u64
        })
    }

    #[track_caller]
    fn assert_within<const COUNT: usize>(pauses: [u64; COUNT], expected: [(u64, u64); COUNT]) {
        let mut both = pauses.iter().zip(&expected);
        let is_within = both.all(|(pause, (least, most))| (least..=most).contains(&pause));
        assert!(is_within, "{pauses:?}, not {expected:?}");
    }

    #[test]
    fn intervals_double_up_to_the_delay() {
        let grow = [(100, 200), (200, 400), (400, 800), (800, 1600)];
        for _ in 0..100 {
            let [a, b, c, d] = grow;
            assert_within(
                pauses(2 * SECOND, [0; 6]),
                [a, b, c, d, (1000, 2000), (1000, 2000)],
            );
            assert_within(
                pauses(MINUTE, [0; 7]),
                [a, b, c, d, (1600, 3200), (2500, 5000), (2500, 5000)],
            );
            assert_within(pauses(SECOND / 100, [0; 4]), [a, b, (250, 500), (250, 500)]);
        }
    }

    #[test]
    fn pauses_are_random() {
        let first = |_| pauses(MINUTE, [0])[0];
        let all: std::collections::BTreeSet<_> = (0..100).map(first).collect();
        assert!(all.len() > 20, "{all:?}");
    }

    #[test]
    fn a_receiver_requests_longer_pauses_within_bounds() {
        assert_within(
            pauses(MINUTE, [0, 2, 0, 3600, 1]),
            [
                (100, 200),
                (2000, 2100),
                (400, 800),
                (30_000, 30_100),
                (1600, 3200),
            ],
        );
    }

    /// Whether each of so many retries belongs to the export.
    fn within_export(schedule: &mut RetrySchedule, began: Instant, retry: Retry) -> [bool; 5] {
        [(); 5].map(|()| schedule.back_off(began, retry).is_within_export)
    }

    #[test]
    fn three_retries_within_the_timeout_belong_to_an_export() {
        let (now, later) = (Instant::now(), Retry::Later);
        let mut schedule = RetrySchedule::new(MINUTE, 10 * SECOND);
        let three = [true, true, true, false, false];
        assert_eq!(within_export(&mut schedule, now, later), three);
        schedule.reset();
        assert_eq!(within_export(&mut schedule, now, later), three);
        schedule.reset();
        assert_eq!(within_export(&mut schedule, now, after(10)), [false; 5]);
        schedule.reset();
        // A request that timed out.
        let began = now - 10 * SECOND;
        assert_eq!(within_export(&mut schedule, began, later), [false; 5]);
    }

    #[test]
    fn the_interval_after_a_success_is_the_first_one() {
        let mut schedule = RetrySchedule::new(MINUTE, MINUTE);
        for _ in 0..5 {
            let _ = schedule.back_off(Instant::now(), Retry::Later);
        }
        schedule.reset();
        let pause = schedule.back_off(Instant::now(), Retry::Later).pause;
        assert!(pause <= INITIAL_INTERVAL, "{pause:?}");
    }
}
