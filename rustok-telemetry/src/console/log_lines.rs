//! Log records in memory, within a number of bytes. The oldest go first.

use std::{collections::VecDeque, sync::Arc, time::SystemTime};

use opentelemetry::{InstrumentationScope, Key, logs::AnyValue};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord},
};
use serde_json::{Value as Json, json};

use super::{bytes, inbox::Store, json::milliseconds, search::Search, state::State};
use crate::{
    stdout::{any, record_attributes},
    trace::TENANT_ID,
};

/// Hands over every log record.
#[derive(Debug)]
pub(crate) struct ConsoleLogProcessor {
    pub(super) state: Arc<State>,
}

impl LogProcessor for ConsoleLogProcessor {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        let record = Box::new(record.clone());
        let bytes = bytes_of(&record);
        self.state.push(&self.state.lines, record, bytes);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

/// Estimates the memory of a record.
fn bytes_of(record: &SdkLogRecord) -> usize {
    let attributes = record.attributes_iter();
    let attributes =
        attributes.map(|(_, value)| size_of::<(Key, AnyValue)>() + bytes::of_any(value));
    size_of::<SdkLogRecord>()
        + size_of::<Line>()
        + record.target().map_or(0, |target| target.len())
        + record.body().map_or(0, bytes::of_any)
        + attributes.sum::<usize>()
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

#[derive(Debug)]
struct Line {
    record: Box<SdkLogRecord>,
    bytes: usize,
}

/// Which lines are asked for.
#[derive(Debug, Default)]
pub(super) struct LineQuery {
    /// Number of the severity that a line has at least.
    pub(super) severity: i32,
    pub(super) target: String,
    pub(super) text: Search,
    pub(super) trace_id: String,
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
    pub(super) fn of_trace(&self, trace_id: &str) -> Vec<Json> {
        let query = LineQuery {
            trace_id: trace_id.to_owned(),
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
            .filter(move |(number, line)| *number < before && query.matches(&line.record))
            .map(|(number, line)| as_json(number, &line.record))
    }
}

impl Store for Lines {
    type Item = Box<SdkLogRecord>;

    fn add(&mut self, record: Self::Item, bytes: usize) -> bool {
        self.last += 1;
        self.bytes += bytes;
        self.lines.push_back(Line { record, bytes });
        while self.bytes > self.limit {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes;
        }
        true
    }
}

impl LineQuery {
    fn matches(&self, record: &SdkLogRecord) -> bool {
        let severity = record.severity_number().map_or(0, |number| number as i32);
        let target = record.target().map_or("", |target| target);
        let is_of_trace = || {
            let context = record.trace_context();
            context.is_some_and(|context| context.trace_id.to_string() == self.trace_id)
        };
        let has_text = || {
            let mut attributes = record.attributes_iter();
            self.text.finds(target)
                || record.body().is_some_and(|body| self.finds_in(body))
                || attributes.any(|(_, value)| self.finds_in(value))
        };
        severity >= self.severity
            && target.starts_with(&self.target)
            && (self.trace_id.is_empty() || is_of_trace())
            && (self.text.is_empty() || has_text())
    }

    fn finds_in(&self, value: &AnyValue) -> bool {
        match value {
            AnyValue::String(text) => self.text.finds(text.as_str()),
            value => self.text.finds(&any(value).to_string()),
        }
    }
}

fn as_json(number: u64, record: &SdkLogRecord) -> Json {
    let attributes = record_attributes(record);
    let origin = record.trace_context();
    let text = match record.body() {
        Some(AnyValue::String(text)) => text.as_str().into(),
        Some(other) => any(other).to_string().into(),
        None => Json::from(""),
    };
    json!({
        "seq": number,
        "time": milliseconds(record.timestamp().unwrap_or(SystemTime::UNIX_EPOCH)),
        "level": record.severity_text(),
        "target": record.target(),
        "text": text,
        "tenant": attributes.get(TENANT_ID),
        "attributes": attributes,
        "trace_id": origin.map(|origin| origin.trace_id.to_string()),
        "span_id": origin.map(|origin| origin.span_id.to_string()),
    })
}
