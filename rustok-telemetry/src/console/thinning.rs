//! Bounds what spans and log records cost under load. Beyond a number of them a second the console keeps a share of the
//! traces, and of the others those with an error and the slowest.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry::TraceId;

use super::{inbox::lock, spans::KeptSpan, state::TICK};

/// Spans a second up to which all are kept.
pub(super) const SPANS_PER_SECOND: u64 = 500;

/// Log records a second up to which all are kept.
pub(super) const LINES_PER_SECOND: u64 = 250;

/// Traces a second that are kept for an error or for their duration, in addition to the share.
const NOTABLE_PER_SECOND: u64 = 50;

/// Aim for traces a second that are kept for their duration.
const SLOW_PER_SECOND: u64 = 10;

/// A duration that is slow, before anything is known.
const FIRST_SLOW: Duration = Duration::from_secs(1);

/// A power of two.
const STRIPES: usize = 8;

/// Spans of other traces that a stripe holds until it is known whether their trace is notable.
const HELD: usize = 64;

/// Notable traces that a stripe knows, so that their later spans are kept too.
const NOTABLE: usize = 16;

/// Decides which ended spans and which log records are kept.
#[derive(Debug)]
pub(super) struct Thinning {
    /// Traces are kept whose id, reduced to 32 bits, is at most this.
    share: AtomicU32,
    /// Nanoseconds from which the root span of a trace is slow.
    slow_from: AtomicU64,
    /// Since the last tick.
    spans: AtomicU64,
    lines: AtomicU64,
    notable: AtomicU64,
    slow: AtomicU64,
    /// Since the start.
    thinned_lines: AtomicU64,
    thinned_spans: AtomicU64,
    /// By trace id.
    stripes: [Mutex<Stripe>; STRIPES],
    /// Bytes of the spans that a stripe holds.
    stripe_limit: usize,
}

#[derive(Debug, Default)]
struct Stripe {
    held: VecDeque<KeptSpan>,
    bytes: usize,
    notable: VecDeque<TraceId>,
}

impl Thinning {
    /// Creates one that keeps everything until the first tick, and then holds at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            share: AtomicU32::new(u32::MAX),
            slow_from: AtomicU64::new(FIRST_SLOW.as_nanos() as u64),
            spans: AtomicU64::new(0),
            lines: AtomicU64::new(0),
            notable: AtomicU64::new(0),
            slow: AtomicU64::new(0),
            thinned_lines: AtomicU64::new(0),
            thinned_spans: AtomicU64::new(0),
            stripes: Default::default(),
            stripe_limit: limit / STRIPES,
        }
    }

    /// Passes an ended span to `keep`, with the spans of its trace that were held; or holds it.
    pub(super) fn pass(&self, span: KeptSpan, mut keep: impl FnMut(KeptSpan)) {
        self.spans.fetch_add(1, Ordering::Relaxed);
        let id = span.trace_id;
        if self.keeps(id) {
            keep(span);
            return;
        }
        let mut stripe = lock(&self.stripes[reduced(id) as usize % STRIPES]);
        if stripe.notable.contains(&id) {
            keep(span);
        } else if self.is_notable(&span) {
            stripe.add_notable(id);
            for earlier in stripe.take(id) {
                keep(earlier);
            }
            keep(span);
        } else {
            let dropped = stripe.hold(span, self.stripe_limit);
            self.thinned_spans.fetch_add(dropped, Ordering::Relaxed);
        }
    }

    /// Returns whether a log record is kept; counts it if not.
    pub(super) fn passes_line(&self, is_warning: bool, trace_id: Option<TraceId>) -> bool {
        let number = self.lines.fetch_add(1, Ordering::Relaxed);
        let passes = is_warning
            || match trace_id {
                Some(id) => self.keeps(id),
                // Spreads consecutive numbers evenly over 32 bits: Knuth's multiplicative hash.
                None => (number as u32).wrapping_mul(2_654_435_769) <= self.share(),
            };
        if !passes {
            self.thinned_lines.fetch_add(1, Ordering::Relaxed);
        }
        passes
    }

    /// Keeps everything until the next tick.
    pub(super) fn keep_all(&self) {
        self.share.store(u32::MAX, Ordering::Relaxed);
    }

    /// Adapts the share to the load since the last tick. With `keeps_all`, everything is kept until the next one.
    pub(super) fn tick(&self, keeps_all: bool) {
        let per_second = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed) / TICK.as_secs();
        let share_of = |limit: u64, load: u64| limit as f64 / load.max(limit) as f64;
        let of_spans = share_of(SPANS_PER_SECOND, per_second(&self.spans));
        let of_lines = share_of(LINES_PER_SECOND, per_second(&self.lines));
        let share = if keeps_all {
            1.0
        } else {
            of_spans.min(of_lines)
        };
        self.share
            .store((share * f64::from(u32::MAX)) as u32, Ordering::Relaxed);
        self.notable.store(0, Ordering::Relaxed);
        let (slow, slow_from) = (per_second(&self.slow), &self.slow_from);
        let from = slow_from.load(Ordering::Relaxed);
        let adapted = match slow {
            slow if slow < SLOW_PER_SECOND / 2 => (from / 2).max(1),
            slow if slow > SLOW_PER_SECOND * 2 => from.saturating_mul(2),
            _ => from,
        };
        slow_from.store(adapted, Ordering::Relaxed);
    }

    /// Returns the share of the traces that are kept: from 0 to 1.
    pub(super) fn kept_share(&self) -> f64 {
        f64::from(self.share()) / f64::from(u32::MAX)
    }

    /// Returns how many spans and log records have not been kept because of the load.
    pub(super) fn thinned(&self) -> (u64, u64) {
        let [spans, lines] =
            [&self.thinned_spans, &self.thinned_lines].map(|count| count.load(Ordering::Relaxed));
        (spans, lines)
    }

    /// Returns the bytes of the held spans.
    pub(super) fn bytes(&self) -> usize {
        self.stripes.iter().map(|stripe| lock(stripe).bytes).sum()
    }

    fn share(&self) -> u32 {
        self.share.load(Ordering::Relaxed)
    }

    fn keeps(&self, id: TraceId) -> bool {
        reduced(id) <= self.share()
    }

    fn is_notable(&self, span: &KeptSpan) -> bool {
        let is_slow = !span.has_local_parent
            && span.duration().as_nanos() >= u128::from(self.slow_from.load(Ordering::Relaxed));
        if is_slow {
            self.slow.fetch_add(1, Ordering::Relaxed);
        }
        (span.has_error || is_slow)
            && self.notable.fetch_add(1, Ordering::Relaxed) < NOTABLE_PER_SECOND * TICK.as_secs()
    }
}

impl Stripe {
    fn add_notable(&mut self, id: TraceId) {
        if self.notable.len() == NOTABLE {
            self.notable.pop_front();
        }
        self.notable.push_back(id);
    }

    /// Removes the spans of a trace.
    fn take(&mut self, id: TraceId) -> Vec<KeptSpan> {
        let held = self.held.drain(..);
        let (taken, others): (Vec<_>, Vec<_>) = held.partition(|span| span.trace_id == id);
        self.held = VecDeque::from(others);
        self.bytes -= taken.iter().map(KeptSpan::bytes).sum::<usize>();
        taken
    }

    /// Adds a span. Returns how many had to go for it.
    fn hold(&mut self, span: KeptSpan, limit: usize) -> u64 {
        self.bytes += span.bytes();
        self.held.push_back(span);
        let mut dropped = 0;
        while self.held.len() > HELD || self.bytes > limit {
            let Some(oldest) = self.held.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes();
            dropped += 1;
        }
        dropped
    }
}

/// Returns bits of a trace id that are random by W3C's definition, and that ids of 64 bits have too.
fn reduced(id: TraceId) -> u32 {
    u128::from_be_bytes(id.to_bytes()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: bool = false;
    const ERROR: bool = true;

    /// An id of 16 bytes; `number` decides in which order ids leave the share.
    fn id(number: u32) -> TraceId {
        TraceId::from(u128::from(number.wrapping_mul(2_654_435_769)))
    }

    fn span(trace: u32, milliseconds: u64, has_error: bool) -> KeptSpan {
        let took = Duration::from_millis(milliseconds);
        KeptSpan::for_tests(id(trace), "pay", took, has_error)
    }

    /// Passes a span, and returns how many are kept with it.
    fn pass(thinning: &Thinning, span: KeptSpan) -> usize {
        let mut kept = 0;
        thinning.pass(span, |_| kept += 1);
        kept
    }

    /// One that has seen ten times the load at which everything is kept.
    fn loaded() -> Thinning {
        let thinning = Thinning::new(1 << 20);
        for trace in 0..SPANS_PER_SECOND as u32 * 20 {
            assert_eq!(
                pass(&thinning, span(trace, 1, OK)),
                1,
                "the first tick keeps all"
            );
        }
        thinning.tick(false);
        assert!((0.099..0.101).contains(&thinning.kept_share()));
        thinning
    }

    /// A trace outside of the share of `loaded`.
    fn outside() -> u32 {
        (0..100)
            .find(|trace| reduced(id(*trace)) > u32::MAX / 2)
            .expect("half of them")
    }

    #[test]
    fn a_share_of_the_traces_is_kept_under_load() {
        let thinning = loaded();
        let kept: usize = (0..10_000)
            .map(|trace| pass(&thinning, span(trace, 1, OK)))
            .sum();
        assert!((950..1_050).contains(&kept), "{kept}");
        let (thinned, _) = thinning.thinned();
        assert_eq!(
            thinned
                + thinning
                    .stripes
                    .iter()
                    .map(|one| lock(one).held.len() as u64)
                    .sum::<u64>()
                + kept as u64,
            10_000
        );
    }

    #[test]
    fn a_trace_with_an_error_is_kept_with_its_earlier_and_later_spans() {
        let (thinning, trace) = (loaded(), outside());
        assert_eq!(pass(&thinning, span(trace, 1, OK)), 0);
        assert_eq!(pass(&thinning, span(trace, 1, ERROR)), 2);
        assert_eq!(pass(&thinning, span(trace, 1, OK)), 1);
    }

    #[test]
    fn the_slowest_traces_are_kept() {
        let (thinning, trace) = (loaded(), outside());
        assert_eq!(pass(&thinning, span(trace, 1_000, OK)), 1);
        // Without slow traces, the duration that is slow falls: to 1/1024 of the first after ten ticks.
        for _ in 0..10 {
            assert_eq!(pass(&thinning, span(trace + 1, 0, OK)), 0);
            for other in 0..SPANS_PER_SECOND as u32 * 20 {
                pass(&thinning, span(other, 0, OK));
            }
            thinning.tick(false);
        }
        assert_eq!(pass(&thinning, span(trace, 1, OK)), 1);
    }

    #[test]
    fn errors_alone_do_not_undo_the_limit() {
        let thinning = loaded();
        let kept: usize = (0..10_000)
            .map(|trace| pass(&thinning, span(trace, 1, ERROR)))
            .sum();
        assert!((1_000..1_200).contains(&kept), "{kept}");
    }

    #[test]
    fn held_spans_are_bounded() {
        let thinning = loaded();
        let thinning = Thinning {
            stripe_limit: 1_000,
            ..thinning
        };
        for trace in 0..10_000 {
            pass(&thinning, span(trace, 1, OK));
        }
        assert!(
            (1_000..=8_000).contains(&thinning.bytes()),
            "{}",
            thinning.bytes()
        );
    }

    #[test]
    fn lines_follow_their_trace_and_warnings_are_kept() {
        let (thinning, trace) = (loaded(), id(outside()));
        assert!(!thinning.passes_line(false, Some(trace)));
        assert!(thinning.passes_line(true, Some(trace)));
        assert!(thinning.passes_line(false, Some(id(0))));
        let kept = (0..10_000)
            .filter(|_| thinning.passes_line(false, None))
            .count();
        assert!((950..1_050).contains(&kept), "{kept}");
        let (_, thinned) = thinning.thinned();
        assert_eq!(thinned, 10_001 - kept as u64);
    }

    #[test]
    fn everything_is_kept_when_asked_for_and_without_load() {
        let thinning = loaded();
        thinning.tick(true);
        assert_eq!(pass(&thinning, span(outside(), 1, OK)), 1);
        let thinning = loaded();
        thinning.tick(false);
        assert_eq!(thinning.kept_share(), 1.0);
    }
}
