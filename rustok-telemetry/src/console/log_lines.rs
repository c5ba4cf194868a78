//! Log records in memory, within a number of bytes. The oldest go first.

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

use opentelemetry::TraceId;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_sdk::logs::SdkLogRecord;
use prost::Message;
use serde_json::{Value as Json, json};
use tracing::Level;

use super::{
    attributes::{as_json, text},
    inbox::{SHARED, Store},
    json::{hex, of_nanoseconds},
    search::Search,
    state::State,
};
use crate::{otlp::LogObserver, trace::TENANT_ID};

/// What is kept of a log record: its message of OTLP, and what a query needs without decoding it.
#[derive(Debug)]
pub(super) struct Line {
    severity: i32,
    target: Cow<'static, str>,
    trace_id: Option<TraceId>,
    message: Arc<[u8]>,
}

impl Line {
    fn decoded(&self) -> LogRecord {
        // What this process has encoded can be decoded.
        LogRecord::decode(&*self.message).unwrap_or_default()
    }

    /// Estimates the memory of the line.
    fn bytes(&self) -> usize {
        size_of::<Self>() + SHARED + self.message.len()
    }
}

/// Keeps every log record, except under load.
impl LogObserver for State {
    fn wants(&self, level: Level, trace_id: Option<TraceId>) -> bool {
        self.thinning.passes_line(level <= Level::WARN, trace_id)
    }

    fn emitted(&self, record: &SdkLogRecord, encoded: &Arc<[u8]>) {
        let line = Line {
            severity: record.severity_number().map_or(0, |number| number as i32),
            target: record.target().cloned().unwrap_or_default(),
            trace_id: record.trace_context().map(|origin| origin.trace_id),
            message: Arc::clone(encoded),
        };
        let bytes = line.bytes();
        self.push(&self.lines, line, bytes);
    }
}

/// The kept log records.
#[derive(Debug)]
pub(super) struct Lines {
    limit: usize,
    lines: VecDeque<Line>,
    bytes: usize,
    /// Number of the newest line, counted from 1.
    last: u64,
}

/// Which lines are asked for.
#[derive(Debug, Default)]
pub(super) struct LineQuery {
    /// Number of the severity that a line has at least.
    pub(super) severity: i32,
    pub(super) target: String,
    pub(super) text: Search,
    pub(super) trace_id: Option<TraceId>,
    pub(super) before: Option<u64>,
    pub(super) limit: usize,
}

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            lines: VecDeque::new(),
            bytes: 0,
            last: 0,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns the lines of a query, newest first, and whether there are older ones.
    pub(super) fn page(&self, query: &LineQuery) -> Json {
        let mut found = self.find(query);
        let lines: Vec<_> = found.by_ref().take(query.limit).collect();
        json!({"lines": lines, "older": found.next().is_some()})
    }

    /// Returns the lines of a trace, oldest first.
    pub(super) fn of_trace(&self, trace_id: TraceId) -> Vec<Json> {
        let query = LineQuery {
            trace_id: Some(trace_id),
            ..LineQuery::default()
        };
        let mut lines: Vec<_> = self.find(&query).collect();
        lines.reverse();
        lines
    }

    fn find(&self, query: &LineQuery) -> impl Iterator<Item = Json> {
        let before = query.before.unwrap_or(u64::MAX);
        let numbers = (0..=self.last).rev();
        let lines = numbers.zip(self.lines.iter().rev());
        lines
            .filter(move |(number, line)| *number < before && query.matches(line))
            .map(|(number, line)| line_as_json(number, line))
    }
}

impl Store for Lines {
    type Item = Line;

    fn add(&mut self, line: Line, bytes: usize) -> bool {
        self.last += 1;
        self.bytes += bytes;
        self.lines.push_back(line);
        while self.bytes > self.limit {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes();
        }
        true
    }
}

impl LineQuery {
    fn matches(&self, line: &Line) -> bool {
        line.severity >= self.severity
            && line.target.starts_with(&self.target)
            && (self.trace_id.is_none() || line.trace_id == self.trace_id)
            && (self.text.is_empty() || self.finds_in(line))
    }

    fn finds_in(&self, line: &Line) -> bool {
        let record = line.decoded();
        self.text.finds(&line.target)
            || self.text.finds(&text(record.body.as_ref()))
            || self.text.finds_in(&record.attributes)
    }
}

fn line_as_json(number: u64, line: &Line) -> Json {
    let record = line.decoded();
    let attributes = as_json(&record.attributes);
    json!({
        "seq": number,
        "time": of_nanoseconds(record.time_unix_nano),
        "level": record.severity_text,
        "target": line.target,
        "text": text(record.body.as_ref()),
        "tenant": attributes.get(TENANT_ID),
        "attributes": attributes,
        "trace_id": hex(&record.trace_id),
        "span_id": hex(&record.span_id),
    })
}
