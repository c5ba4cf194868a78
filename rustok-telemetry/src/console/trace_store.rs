//! Spans in memory, by trace, within a number of bytes. The oldest traces go first; those with an error and the slowest
//! of each operation stay longer.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    time::Duration,
};

use opentelemetry::TraceId;

use super::{inbox::Store, spans::KeptSpan};

/// Traces of each operation that are kept as the slowest.
const SLOWEST: usize = 5;

/// Estimate of what maps, queues and allocations add to a trace.
const TRACE_OVERHEAD: usize = 256;

/// Why a trace is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeptFor {
    Recent,
    Error,
    Slow,
}

impl KeptFor {
    pub(super) fn as_str(self) -> &'static str {
        ["recent", "error", "slow"][self as usize]
    }
}

/// The spans of a trace that ended here.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) spans: Vec<KeptSpan>,
    /// Spans with an error.
    pub(super) errors: usize,
    pub(super) kept_for: KeptFor,
    /// Larger for a trace that got its last span later.
    pub(super) order: u64,
    bytes: usize,
}

impl Trace {
    /// Returns the first span without a parent in this process.
    pub(super) fn root(&self) -> Option<&KeptSpan> {
        let spans = self.spans.iter();
        spans.min_by_key(|span| (span.has_local_parent, span.start))
    }
}

/// The kept traces.
#[derive(Debug)]
pub(super) struct Traces {
    limit: usize,
    pub(super) by_id: HashMap<TraceId, Trace>,
    /// By [`KeptFor`]: the recent ones in the order of their first span, the others in the order in which they were
    /// recent no more.
    queues: [VecDeque<TraceId>; 3],
    bytes: [usize; 3],
    /// Of each operation, among those that are kept for it.
    slowest: HashMap<Box<str>, Vec<(Duration, TraceId)>>,
    order: u64,
    spans: usize,
}

impl Traces {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            by_id: HashMap::new(),
            queues: Default::default(),
            bytes: [0; 3],
            slowest: HashMap::new(),
            order: 0,
            spans: 0,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.iter().sum()
    }

    pub(super) fn spans(&self) -> usize {
        self.spans
    }

    /// Returns the traces of which this is true, the one that got a span last first.
    pub(super) fn newest_first(&self, matches: impl Fn(&Trace) -> bool) -> Vec<(&TraceId, &Trace)> {
        let traces = self.by_id.iter();
        let mut traces: Vec<_> = traces.filter(|(_, trace)| matches(trace)).collect();
        traces.sort_unstable_by_key(|(_, trace)| Reverse(trace.order));
        traces
    }

    /// Removes the oldest trace of those that have more than their share, or keeps it for what it is.
    fn evict(&mut self) -> bool {
        // A quarter each; the other half is for recent ones.
        let mut others = [KeptFor::Error, KeptFor::Slow].into_iter();
        let has_more = |kept_for: &KeptFor| self.bytes[*kept_for as usize] > self.limit / 4;
        let from = others.find(has_more).unwrap_or(KeptFor::Recent);
        let Some(id) = self.queues[from as usize].pop_front() else {
            return false;
        };
        let reason = match from {
            KeptFor::Recent => self.reason_to_keep(id),
            KeptFor::Error | KeptFor::Slow => None,
        };
        match reason {
            Some(reason) => self.keep_for(reason, id),
            None => self.remove(id),
        }
        true
    }

    fn reason_to_keep(&mut self, id: TraceId) -> Option<KeptFor> {
        let trace = self.by_id.get(&id)?;
        if trace.errors > 0 {
            return Some(KeptFor::Error);
        }
        let root = trace.root()?;
        let (name, took) = (root.name().into(), root.duration());
        let slowest = self.slowest.entry(name).or_default();
        let at = slowest.partition_point(|(other, _)| *other >= took);
        if at == SLOWEST {
            return None;
        }
        slowest.insert(at, (took, id));
        if slowest.len() > SLOWEST
            && let Some((_, replaced)) = slowest.pop()
        {
            self.queues[KeptFor::Slow as usize].retain(|slow| *slow != replaced);
            self.remove(replaced);
        }
        Some(KeptFor::Slow)
    }

    fn keep_for(&mut self, reason: KeptFor, id: TraceId) {
        if let Some(trace) = self.by_id.get_mut(&id) {
            self.bytes[trace.kept_for as usize] -= trace.bytes;
            self.bytes[reason as usize] += trace.bytes;
            trace.kept_for = reason;
            self.queues[reason as usize].push_back(id);
        }
    }

    /// Removes a trace that is in no queue any more.
    fn remove(&mut self, id: TraceId) {
        let Some(trace) = self.by_id.remove(&id) else {
            return;
        };
        self.bytes[trace.kept_for as usize] -= trace.bytes;
        self.spans -= trace.spans.len();
        if trace.kept_for == KeptFor::Slow {
            self.slowest.retain(|_, slowest| {
                slowest.retain(|(_, other)| *other != id);
                !slowest.is_empty()
            });
        }
    }
}

impl Store for Traces {
    type Item = KeptSpan;

    fn add(&mut self, span: Self::Item, bytes: usize) -> bool {
        if TRACE_OVERHEAD + bytes > self.limit / 8 {
            return false;
        }
        let id = span.trace_id;
        let trace = self.by_id.entry(id).or_insert_with(|| {
            self.queues[KeptFor::Recent as usize].push_back(id);
            self.bytes[KeptFor::Recent as usize] += TRACE_OVERHEAD;
            Trace {
                spans: Vec::new(),
                errors: 0,
                kept_for: KeptFor::Recent,
                order: 0,
                bytes: TRACE_OVERHEAD,
            }
        });
        // One endless trace does not displace all others.
        let has_room = trace.bytes + bytes <= self.limit / 8;
        if has_room {
            self.order += 1;
            self.spans += 1;
            trace.order = self.order;
            trace.bytes += bytes;
            trace.errors += usize::from(span.has_error);
            self.bytes[trace.kept_for as usize] += bytes;
            trace.spans.push(span);
        }
        while self.bytes() > self.limit && self.evict() {}
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: bool = false;
    const ERROR: bool = true;

    fn span(trace: u128, name: &str, took: u64, has_error: bool) -> KeptSpan {
        KeptSpan::for_tests(
            TraceId::from(trace),
            name,
            Duration::from_millis(took),
            has_error,
        )
    }

    #[test]
    fn errors_and_the_slowest_outlive_the_others() {
        let mut traces = Traces::new(100_000);
        traces.add(span(1, "pay", 1, ERROR), 500);
        traces.add(span(2, "pay", 900, OK), 500);
        traces.add(span(3, "search", 1, OK), 500);
        for id in 10..2_000 {
            traces.add(span(id, "pay", 2 + id as u64 % 7, OK), 500);
            assert!(traces.bytes() <= 100_000);
        }
        let kept_for = |id| {
            traces
                .by_id
                .get(&TraceId::from(id))
                .map(|trace| trace.kept_for)
        };
        assert_eq!(kept_for(1), Some(KeptFor::Error));
        assert_eq!(kept_for(2), Some(KeptFor::Slow));
        assert_eq!(
            kept_for(3),
            Some(KeptFor::Slow),
            "the slowest of its operation"
        );
        assert_eq!(kept_for(10), None);
        assert_eq!(kept_for(1_999), Some(KeptFor::Recent));
        let slow = traces
            .by_id
            .values()
            .filter(|trace| trace.kept_for == KeptFor::Slow);
        assert_eq!(
            (slow.count(), traces.queues[KeptFor::Slow as usize].len()),
            (6, 6)
        );
        assert_eq!(traces.spans(), traces.by_id.len());
    }

    #[test]
    fn errors_alone_do_not_displace_what_is_recent() {
        let mut traces = Traces::new(100_000);
        for id in 1..2_000 {
            traces.add(span(id, "pay", 1, ERROR), 500);
            let [recent, errors, _] = traces.bytes;
            assert!(id < 200 || (recent > 70_000 && errors > 20_000), "{id}");
        }
        assert_eq!(traces.newest_first(|_| true)[0].0, &TraceId::from(1_999));
    }

    #[test]
    fn an_endless_trace_keeps_an_eighth() {
        let mut traces = Traces::new(80_000);
        let added = (0..1_000).filter(|_| traces.add(span(1, "loop", 1, OK), 500));
        assert_eq!(added.count(), 19);
        assert!(traces.bytes() <= 10_000);
    }

    #[test]
    fn a_span_that_is_too_large_leaves_no_empty_trace() {
        let mut traces = Traces::new(80_000);
        assert!(!traces.add(span(1, "large", 1, OK), 10_000));
        assert!(traces.by_id.is_empty() && traces.bytes() == 0);
    }
}
