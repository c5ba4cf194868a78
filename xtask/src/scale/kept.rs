//! The spans that gateways kept, and those that are in Jaeger.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::PathBuf;

use serde_json::Value;

use super::Error;
use super::traces::{SPANS, Trace};
use crate::stack::query;

/// The spans of each trace, by id in hexadecimal digits.
#[derive(Debug, Default)]
pub struct Spans {
    by_trace: BTreeMap<String, BTreeSet<String>>,
}

impl Spans {
    /// Returns how many spans of a trace there are.
    pub fn of(&self, trace: &Trace) -> usize {
        self.by_trace.get(&trace.hex()).map_or(0, BTreeSet::len)
    }

    /// Returns whether all spans of a trace are there.
    pub fn has_all_of(&self, trace: &Trace) -> bool {
        self.of(trace) == SPANS
    }

    /// Returns how many different spans there are.
    pub fn count(&self) -> u64 {
        self.by_trace.values().map(|spans| spans.len() as u64).sum()
    }

    /// Returns how many traces there are.
    pub fn traces(&self) -> usize {
        self.by_trace.len()
    }

    /// Adds the spans of a trace in Jaeger's JSON.
    pub(super) fn add_all(&mut self, trace: &Value) {
        for span in trace["spans"].as_array().into_iter().flatten() {
            self.add(&trace["traceID"], &span["spanID"]);
        }
    }

    fn add(&mut self, trace: &Value, span: &Value) {
        if let (Some(trace), Some(span)) = (trace.as_str(), span.as_str()) {
            let spans = self.by_trace.entry(trace.to_owned()).or_default();
            spans.insert(span.to_owned());
        }
    }
}

/// Reads files of the file exporter. A missing one had nothing to write.
pub(super) fn in_files(files: impl Iterator<Item = PathBuf>) -> Result<Spans, Error> {
    let mut kept = Spans::default();
    for file in files {
        let file = match File::open(file) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        for line in BufReader::new(file).lines() {
            let request: Value = match serde_json::from_str(&line?) {
                Ok(request) => request,
                // The line during which the gateway was killed.
                Err(error) if error.is_eof() => continue,
                Err(error) => return Err(error.into()),
            };
            let items = |value: &Value, name| value[name].as_array().cloned().unwrap_or_default();
            let resources = items(&request, "resourceSpans").into_iter();
            let scopes = resources.flat_map(|resource| items(&resource, "scopeSpans"));
            for span in scopes.flat_map(|scope| items(&scope, "spans")) {
                kept.add(&span["traceId"], &span["spanId"]);
            }
        }
    }
    Ok(kept)
}

/// Reads all traces of Jaeger at `url`.
pub(super) fn in_jaeger(url: &str) -> Result<Spans, Error> {
    // Below the default of JAEGER_MAX_TRACES, or Jaeger refuses it.
    let conditions = [("limit", "49999")];
    let mut stored = Spans::default();
    // Its trace begins at the front, but may have lost that part.
    for service in super::traces::SERVICES {
        for trace in query::jaeger_search_at(url, service, &conditions)? {
            stored.add_all(&trace);
        }
    }
    Ok(stored)
}
