//! Retries of failed requests, by the rules of the OTLP specification, with the pauses of `opentelemetry-otlp`.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

/// Most retries of a request.
const RETRIES: u32 = 3;
/// The first pause; each following one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(1600);
/// Most that is added to a pause, so that clients do not retry at the same time.
const JITTER_MILLIS: u64 = 100;
/// Longest pause that a receiver can request.
pub(super) const LONGEST_ASKED: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Failed {
    pub(super) reason: String,
    pub(super) retry: Retry,
}

/// Whether a failed request is retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    Never,
    Later,
    /// Not before this time, which the receiver requested.
    After(Duration),
}

/// Sends a request with retries, none of which begins after `limit`. Returns the last failure.
pub(super) async fn with_retries<T, F>(limit: Duration, send: impl Fn() -> F) -> Result<T, Failed>
where
    F: Future<Output = Result<T, Failed>>,
{
    let started = Instant::now();
    let mut pauses = Pauses::new();
    loop {
        let failed = match send().await {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        let left = limit.saturating_sub(started.elapsed());
        match pauses.next(failed.retry) {
            Some(pause) if pause < left => tokio::time::sleep(pause).await,
            _ => return Err(failed),
        }
    }
}

#[derive(Debug)]
struct Pauses {
    left: u32,
    next: Duration,
    longest: Duration,
}

impl Pauses {
    fn new() -> Self {
        Self {
            left: RETRIES,
            next: FIRST_PAUSE,
            longest: LONGEST_PAUSE,
        }
    }

    /// Returns the next pause; `None`: no retry.
    fn next(&mut self, retry: Retry) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        match retry {
            Retry::Never => return None,
            Retry::Later => {}
            Retry::After(asked) => {
                let asked = asked.min(LONGEST_ASKED);
                if asked > self.longest {
                    self.longest = LONGEST_ASKED;
                }
                self.next = self.next.max(asked);
            }
        }
        let pause = (self.next + jitter()).min(self.longest);
        self.next = (self.next * 2).min(self.longest);
        Some(pause)
    }
}

pub(super) fn jitter() -> Duration {
    // A `RandomState` has random keys.
    let random = RandomState::new().hash_one(());
    Duration::from_millis(random % (JITTER_MILLIS + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_unless_the_receiver_requests_longer_ones() {
        let after = |millis| Retry::After(Duration::from_millis(millis));
        let later = Retry::Later;
        for (retries, expected) in [
            (vec![later; 4], vec![Some(100), Some(200), Some(400), None]),
            (vec![later, Retry::Never], vec![Some(100), None]),
            (vec![later, after(1)], vec![Some(100), Some(200)]),
            (
                vec![after(2_000), later, later],
                vec![Some(2_000), Some(4_000), Some(8_000)],
            ),
            (
                vec![after(3_600_000), later],
                vec![Some(30_000), Some(30_000)],
            ),
        ] {
            let mut pauses = Pauses::new();
            for (retry, expected) in retries.into_iter().zip(expected) {
                let pause = pauses.next(retry).map(|pause| pause.as_millis() as u64);
                let in_range =
                    |least| (least..=least + JITTER_MILLIS).contains(&pause.unwrap_or(0));
                assert!(
                    expected.map_or(pause.is_none(), in_range),
                    "{pause:?}, not {expected:?}"
                );
                assert!(pause <= Some(30_000), "{pause:?}");
            }
        }
    }
}
