//! What the console keeps of a span: its message of OTLP, and what the list of traces needs without decoding it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry::{TraceId, trace::SpanKind};
use opentelemetry_proto::tonic::trace::v1;
use prost::{
    Message,
    encoding::{WireType, decode_key, decode_varint},
};

use super::{inbox::SHARED, state::State};
use crate::{otlp::SpanObserver, trace::sink::EndedSpan};

/// Number of the field with the name of a span. All fields before it have a length.
const NAME: u32 = 5;

#[derive(Debug)]
pub(super) struct KeptSpan {
    pub(super) trace_id: TraceId,
    pub(super) start: SystemTime,
    pub(super) end: SystemTime,
    pub(super) kind: SpanKind,
    pub(super) has_error: bool,
    /// Whether its parent is a span of this process.
    pub(super) has_local_parent: bool,
    pub(super) scope: Arc<str>,
    message: Arc<[u8]>,
}

impl KeptSpan {
    pub(super) fn duration(&self) -> Duration {
        self.end.duration_since(self.start).unwrap_or_default()
    }

    /// Returns everything that is known of the span.
    pub(super) fn decoded(&self) -> v1::Span {
        // What this process has encoded can be decoded.
        v1::Span::decode(&*self.message).unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn for_tests(
        trace_id: TraceId,
        name: &str,
        duration: Duration,
        has_error: bool,
    ) -> Self {
        let message = v1::Span {
            name: name.to_owned(),
            ..v1::Span::default()
        };
        Self {
            trace_id,
            start: SystemTime::UNIX_EPOCH,
            end: SystemTime::UNIX_EPOCH + duration,
            kind: SpanKind::Internal,
            has_error,
            has_local_parent: false,
            scope: "".into(),
            message: message.encode_to_vec().into(),
        }
    }

    /// Returns the name, which is one of the first fields, without decoding the others.
    pub(super) fn name(&self) -> &str {
        let mut rest = &*self.message;
        while let Ok((field, WireType::LengthDelimited)) = decode_key(&mut rest) {
            let length = decode_varint(&mut rest).unwrap_or_default();
            let Some((content, after)) = rest.split_at_checked(length as usize) else {
                break;
            };
            if field == NAME {
                return str::from_utf8(content).unwrap_or_default();
            }
            rest = after;
        }
        ""
    }

    /// Estimates the memory of the span.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + SHARED + self.message.len()
    }
}

/// Keeps every recorded span, except under load.
impl SpanObserver for State {
    fn ended(&self, span: &EndedSpan<'_>, encoded: &Arc<[u8]>) {
        let kept = KeptSpan {
            trace_id: span.context.trace_id(),
            start: span.start,
            end: span.end,
            kind: span.kind.clone(),
            has_error: span.has_error,
            has_local_parent: span.has_local_parent,
            scope: self.scope(span.scope.name()),
            message: Arc::clone(encoded),
        };
        self.thinning.pass(kept, |span| {
            let bytes = span.bytes();
            self.push(&self.spans, span, bytes);
        });
    }
}

impl State {
    /// Returns the name of a scope. Nearly all spans have the same one.
    fn scope(&self, name: &str) -> Arc<str> {
        let usual = self.usual_scope.get_or_init(|| name.into());
        match **usual == *name {
            true => Arc::clone(usual),
            false => name.into(),
        }
    }
}
