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
const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// A request that failed.
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

/// Sends a request with retries, none of which begins after `limit`. Returns the reason of the last failure.
pub(super) async fn with_retries<T, F>(limit: Duration, send: impl Fn() -> F) -> Result<T, String>
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
            _ => return Err(failed.reason),
        }
    }
}

/// The pauses before the retries of one request.
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

fn jitter() -> Duration {
    // A `RandomState` has random keys.
    let random = RandomState::new().hash_one(());
    Duration::from_millis(random % (JITTER_MILLIS + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pauses in milliseconds, each with up to 100 more.
    #[track_caller]
    fn check<const N: usize>(answers: [Retry; N], expected: [Option<u64>; N]) {
        let mut pauses = Pauses::new();
        for (answer, expected) in answers.into_iter().zip(expected) {
            let pause = pauses.next(answer);
            let Some(least) = expected.map(Duration::from_millis) else {
                assert_eq!(pause, None);
                continue;
            };
            let most = least + Duration::from_millis(JITTER_MILLIS);
            let pause = pause.expect("a retry");
            assert!((least..=most).contains(&pause), "{pause:?}, not {least:?}");
        }
    }

    #[test]
    fn pauses_double_and_there_are_three() {
        check([Retry::Later; 4], [Some(100), Some(200), Some(400), None]);
    }

    #[test]
    fn a_final_failure_is_not_retried() {
        check([Retry::Later, Retry::Never], [Some(100), None]);
    }

    #[test]
    fn a_receiver_can_request_longer_pauses() {
        let asked = Retry::After(Duration::from_secs(2));
        let expected = [Some(2000), Some(4000), Some(8000)];
        check([asked, Retry::Later, Retry::Later], expected);
    }

    #[test]
    fn requested_pauses_have_bounds() {
        let soon = Retry::After(Duration::from_millis(1));
        check([Retry::Later, soon], [Some(100), Some(200)]);
        let mut pauses = Pauses::new();
        let asked = Retry::After(Duration::from_secs(3600));
        assert_eq!(pauses.next(asked), Some(LONGEST_ASKED));
        assert_eq!(pauses.next(asked), Some(LONGEST_ASKED));
    }

    #[tokio::test]
    async fn no_retry_begins_after_the_limit() {
        let sent = std::cell::Cell::new(0);
        let limit = FIRST_PAUSE;
        let answer: Result<(), _> = with_retries(limit, || {
            sent.set(sent.get() + 1);
            async {
                Err(Failed {
                    reason: "down".to_owned(),
                    retry: Retry::Later,
                })
            }
        })
        .await;
        assert_eq!(answer, Err("down".to_owned()));
        assert_eq!(sent.get(), 1);
    }
}
