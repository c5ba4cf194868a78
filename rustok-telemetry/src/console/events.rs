//! Server-sent events: a sample was taken, log lines or spans came.

use std::{
    convert::Infallible,
    fmt::Write as _,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http_body::Frame;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::state::State;

/// Streams that are open at once.
const MAX_OPEN: u64 = 16;

/// Time between two looks for news.
const LOOK: Duration = Duration::from_millis(500);

/// A server that shuts down waits for its responses, so a stream ends after this time, and the page opens another.
const LIFE: Duration = Duration::from_secs(5);

/// Returns a stream of events; `None` if too many are open.
pub(super) fn stream(state: &Arc<State>) -> Option<Body> {
    let place = Place::take(&state.open_events)?;
    let mut interval = interval(LOOK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Some(Body::new(Events {
        seen: news(state),
        state: Arc::clone(state),
        interval,
        ends: Instant::now() + LIFE,
        began: false,
        _place: place,
    }))
}

/// Writes an event only when the connection takes more, so a slow client has fewer events and no queue.
struct Events {
    state: Arc<State>,
    interval: Interval,
    ends: Instant,
    began: bool,
    seen: [u64; 3],
    _place: Place,
}

/// Returns the time of the last sample, and the numbers of log records and spans, without a lock that a query holds.
fn news(state: &State) -> [u64; 3] {
    let (lines, spans) = (state.lines.accepted(), state.spans.accepted());
    [state.last_tick(), lines, spans]
}

impl Events {
    fn text(&mut self) -> String {
        let mut text = String::new();
        if !self.began {
            self.began = true;
            text.push_str("retry: 1000\n\n");
        }
        let now = news(&self.state);
        let events = [("tick", "now"), ("logs", "last"), ("traces", "count")];
        for (((event, key), now), seen) in events.into_iter().zip(now).zip(self.seen) {
            if now != seen {
                let _ = write!(text, "event: {event}\ndata: {{\"{key}\":{now}}}\n\n");
            }
        }
        self.seen = now;
        text
    }
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            ready!(self.interval.poll_tick(context));
            if self.state.is_stopped() || Instant::now() >= self.ends {
                return Poll::Ready(None);
            }
            let text = self.text();
            if !text.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(text.into()))));
            }
        }
    }
}

/// One of the streams that may be open.
struct Place(Arc<AtomicU64>);

impl Place {
    fn take(open: &Arc<AtomicU64>) -> Option<Self> {
        let free = |open| (open < MAX_OPEN).then_some(open + 1);
        let taken = open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free);
        taken.is_ok().then(|| Self(Arc::clone(open)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
