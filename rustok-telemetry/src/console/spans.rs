//! Spans in memory, by trace, within a number of bytes. The oldest traces go first; those with an error and the slowest
//! of each operation stay longer.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use opentelemetry::{
    Context, KeyValue, SpanId, TraceId,
    trace::{Event, Link, Status},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};

use super::{bytes, state::State};
use crate::trace::SpanLimits;

/// Traces of each operation that are kept as the slowest.
const SLOWEST: usize = 5;

/// Estimate of what maps, queues and allocations add to a trace, and to a span.
const TRACE_OVERHEAD: usize = 256;
const SPAN_OVERHEAD: usize = 64;

/// Hands over every recorded span.
#[derive(Debug)]
pub(crate) struct ConsoleSpanProcessor {
    pub(super) state: Arc<State>,
    pub(super) limits: SpanLimits,
}

impl SpanProcessor for ConsoleSpanProcessor {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        // What a span has is known to its thread alone, so it is completed here.
        self.limits.complete(&mut span);
        let bytes = bytes_of(&span);
        self.state.add_span(Box::new(span), bytes);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Estimates the memory of a span.
fn bytes_of(span: &SpanData) -> usize {
    let attributes = |attributes: &Vec<KeyValue>| {
        let values = attributes
            .iter()
            .map(|attribute| bytes::of_value(&attribute.value));
        attributes.capacity() * size_of::<KeyValue>() + values.sum::<usize>()
    };
    let events = span
        .events
        .iter()
        .map(|event| event.name.len() + attributes(&event.attributes));
    let links = span.links.iter().map(|link| attributes(&link.attributes));
    let status = match &span.status {
        Status::Error { description } => description.len(),
        Status::Unset | Status::Ok => 0,
    };
    size_of::<SpanData>()
        + SPAN_OVERHEAD
        + span.name.len()
        + attributes(&span.attributes)
        + span.events.events.capacity() * size_of::<Event>()
        + events.sum::<usize>()
        + span.links.links.capacity() * size_of::<Link>()
        + links.sum::<usize>()
        + status
}

/// Why a trace is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeptFor {
    Recent,
    Error,
    Slow,
}

impl KeptFor {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Recent => "recent",
            Self::Error => "error",
            Self::Slow => "slow",
        }
    }
}

/// The spans of a trace that ended here.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) spans: Vec<Box<SpanData>>,
    pub(super) kept_for: KeptFor,
    /// Larger for a trace that got its last span later.
    pub(super) order: u64,
    bytes: usize,
}

impl Trace {
    /// Returns the first span without a parent in this process.
    pub(super) fn root(&self) -> Option<&SpanData> {
        let is_root = |span: &&Box<SpanData>| {
            span.parent_span_id == SpanId::INVALID || span.parent_span_is_remote
        };
        let first = |a: &&Box<SpanData>, b: &&Box<SpanData>| a.start_time.cmp(&b.start_time);
        let roots = self.spans.iter().filter(is_root).min_by(first);
        let root = roots.or_else(|| self.spans.iter().min_by(first));
        root.map(|root| &**root)
    }

    pub(super) fn errors(&self) -> usize {
        let errors = self.spans.iter().filter(|span| is_error(span));
        errors.count()
    }
}

pub(super) fn is_error(span: &SpanData) -> bool {
    matches!(span.status, Status::Error { .. })
}

pub(super) fn duration(span: &SpanData) -> Duration {
    span.end_time
        .duration_since(span.start_time)
        .unwrap_or_default()
}

/// The kept traces.
#[derive(Debug)]
pub(super) struct Traces {
    limit: usize,
    pub(super) by_id: HashMap<TraceId, Trace>,
    /// In the order of their first span.
    recent: VecDeque<TraceId>,
    /// Those that would be gone, in the order in which they left `recent`.
    errors: VecDeque<TraceId>,
    slow: VecDeque<TraceId>,
    slowest: HashMap<Box<str>, Vec<(Duration, TraceId)>>,
    bytes: Bytes,
    order: u64,
    spans: usize,
}

#[derive(Debug, Default)]
struct Bytes {
    recent: usize,
    errors: usize,
    slow: usize,
}

impl Bytes {
    fn of(&mut self, kept_for: KeptFor) -> &mut usize {
        match kept_for {
            KeptFor::Recent => &mut self.recent,
            KeptFor::Error => &mut self.errors,
            KeptFor::Slow => &mut self.slow,
        }
    }
}

impl Traces {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            by_id: HashMap::new(),
            recent: VecDeque::new(),
            errors: VecDeque::new(),
            slow: VecDeque::new(),
            slowest: HashMap::new(),
            bytes: Bytes::default(),
            order: 0,
            spans: 0,
        }
    }

    /// Adds a span. Returns whether its trace had room for it.
    pub(super) fn add(&mut self, span: Box<SpanData>, bytes: usize) -> bool {
        let id = span.span_context.trace_id();
        let trace = self.by_id.entry(id).or_insert_with(|| {
            self.recent.push_back(id);
            self.bytes.recent += TRACE_OVERHEAD;
            Trace {
                spans: Vec::new(),
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
            *self.bytes.of(trace.kept_for) += bytes;
            trace.spans.push(span);
        }
        self.evict();
        has_room
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.recent + self.bytes.errors + self.bytes.slow
    }

    pub(super) fn spans(&self) -> usize {
        self.spans
    }

    /// Returns the traces, the one that got a span last first.
    pub(super) fn newest_first(&self) -> Vec<(&TraceId, &Trace)> {
        let mut traces: Vec<_> = self.by_id.iter().collect();
        traces.sort_unstable_by_key(|(_, trace)| std::cmp::Reverse(trace.order));
        traces
    }

    fn evict(&mut self) {
        while self.bytes() > self.limit {
            match self.recent.pop_front() {
                Some(id) => self.retire(id),
                None => break,
            }
        }
        // A quarter each; the other half is for recent ones.
        while self.bytes.errors > self.limit / 4 {
            let Some(id) = self.errors.pop_front() else {
                break;
            };
            self.remove(id);
        }
        while self.bytes.slow > self.limit / 4 {
            let Some(id) = self.slow.pop_front() else {
                break;
            };
            self.remove(id);
        }
    }

    /// Removes a recent trace, or keeps it for what it is.
    fn retire(&mut self, id: TraceId) {
        let Some(trace) = self.by_id.get_mut(&id) else {
            return;
        };
        let kept_for = match trace.root() {
            _ if trace.errors() > 0 => KeptFor::Error,
            Some(root) => {
                let took = duration(root);
                let slowest = self.slowest.entry(root.name.as_ref().into()).or_default();
                let at = slowest.partition_point(|(other, _)| *other >= took);
                slowest.insert(at, (took, id));
                let replaced = match slowest.len() > SLOWEST {
                    true => slowest.pop().map(|(_, id)| id),
                    false => None,
                };
                match replaced {
                    Some(replaced) if replaced == id => return self.remove(id),
                    Some(replaced) => {
                        self.slow.retain(|slow| *slow != replaced);
                        self.remove(replaced);
                    }
                    None => {}
                }
                KeptFor::Slow
            }
            None => return self.remove(id),
        };
        let Some(trace) = self.by_id.get_mut(&id) else {
            return;
        };
        trace.kept_for = kept_for;
        self.bytes.recent -= trace.bytes;
        *self.bytes.of(kept_for) += trace.bytes;
        match kept_for {
            KeptFor::Error => self.errors.push_back(id),
            KeptFor::Slow | KeptFor::Recent => self.slow.push_back(id),
        }
    }

    /// Removes a trace that is in no queue any more.
    fn remove(&mut self, id: TraceId) {
        let Some(trace) = self.by_id.remove(&id) else {
            return;
        };
        *self.bytes.of(trace.kept_for) -= trace.bytes;
        self.spans -= trace.spans.len();
        if trace.kept_for == KeptFor::Slow {
            self.slowest.retain(|_, slowest| {
                slowest.retain(|(_, other)| *other != id);
                !slowest.is_empty()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use opentelemetry::{
        InstrumentationScope,
        trace::{SpanContext, SpanKind, TraceFlags, TraceState},
    };
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

    use super::*;

    fn span(trace: u128, name: &'static str, took: u64, status: Status) -> Box<SpanData> {
        let context = SpanContext::new(
            TraceId::from(trace),
            SpanId::from(1),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        );
        Box::new(SpanData {
            span_context: context,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH + Duration::from_millis(took),
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status,
            instrumentation_scope: InstrumentationScope::default(),
        })
    }

    #[test]
    fn errors_and_the_slowest_outlive_the_others() {
        let mut traces = Traces::new(100_000);
        traces.add(span(1, "pay", 1, Status::error("declined")), 500);
        traces.add(span(2, "pay", 900, Status::Unset), 500);
        traces.add(span(3, "search", 1, Status::Unset), 500);
        for id in 10..2_000 {
            traces.add(span(id, "pay", 2 + id as u64 % 7, Status::Unset), 500);
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
        assert_eq!((slow.count(), traces.slow.len()), (6, 6));
        assert_eq!(traces.spans(), traces.by_id.len());
    }

    #[test]
    fn errors_alone_do_not_displace_what_is_recent() {
        let mut traces = Traces::new(100_000);
        for id in 1..2_000 {
            traces.add(span(id, "pay", 1, Status::error("declined")), 500);
        }
        assert!(traces.bytes.errors <= 25_000 && traces.bytes.recent > 50_000);
        assert_eq!(traces.newest_first()[0].0, &TraceId::from(1_999));
    }

    #[test]
    fn an_endless_trace_keeps_an_eighth() {
        let mut traces = Traces::new(80_000);
        let added = (0..1_000).filter(|_| traces.add(span(1, "loop", 1, Status::Unset), 500));
        assert_eq!(added.count(), 19);
        assert!(traces.bytes() <= 10_000);
    }
}
