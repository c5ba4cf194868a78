//! The spans that gateways kept, and those that are in Jaeger.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::Value;

use super::Error;
use super::traces::{SPANS, Trace};
use crate::stack::query;

/// The spans of each trace, by id in hexadecimal digits.
#[derive(Debug, Default)]
pub struct Spans {
    by_trace: BTreeMap<String, BTreeSet<String>>,
    repeated: u64,
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

    /// Returns how many spans were there already when they came again.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Adds the spans of a trace in Jaeger's JSON.
    pub(super) fn add_all(&mut self, trace: &Value) {
        for span in trace["spans"].as_array().into_iter().flatten() {
            if let (Some(trace), Some(span)) = (trace["traceID"].as_str(), span["spanID"].as_str())
            {
                self.add(trace, span);
            }
        }
    }

    fn add(&mut self, trace: &str, span: &str) {
        let spans = self.by_trace.entry(trace.to_owned()).or_default();
        self.repeated += u64::from(!spans.insert(span.to_owned()));
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
                if let (Some(trace), Some(span)) =
                    (span["traceId"].as_str(), span["spanId"].as_str())
                {
                    kept.add(trace, span);
                }
            }
        }
    }
    Ok(kept)
}

/// Reads all traces of Jaeger at `url`.
pub(super) fn in_jaeger(url: &str) -> Result<Spans, Error> {
    let mut stored = Spans::default();
    // Its trace begins at the front, but may have lost that part.
    for service in super::traces::SERVICES {
        search_jaeger(url, service, &[], &mut stored)?;
    }
    Ok(stored)
}

/// Time that one search covers.
const WINDOW: Duration = Duration::from_secs(20);

/// Reads these traces of Jaeger at `url`, which began since a time: more than it returns at once.
pub(super) fn in_jaeger_since(
    url: &str,
    start: SystemTime,
    traces: impl Iterator<Item = Trace>,
) -> Result<Spans, Error> {
    let microseconds = |time: Duration| time.as_micros().to_string();
    let mut stored = Spans::default();
    let mut from = start.duration_since(SystemTime::UNIX_EPOCH)?;
    let now = SystemTime::UNIX_EPOCH.elapsed()?;
    while from < now {
        let window = [microseconds(from), microseconds(from + WINDOW)];
        let [start, end] = window.each_ref();
        let conditions = [("start", start.as_str()), ("end", end)];
        search_jaeger(url, super::traces::SERVICES[0], &conditions, &mut stored)?;
        from += WINDOW;
    }
    // Also those that have lost their front.
    for trace in traces {
        if !stored.has_all_of(&trace)
            && let Some(found) = query::jaeger_trace_at(url, &trace.hex())?
        {
            stored.add_all(&found);
        }
    }
    Ok(stored)
}

fn search_jaeger(
    url: &str,
    service: &str,
    conditions: &[(&str, &str)],
    stored: &mut Spans,
) -> Result<(), Error> {
    // Below the default of JAEGER_MAX_TRACES, or Jaeger refuses it.
    let conditions = [&[("limit", "49999")], conditions].concat();
    for trace in query::jaeger_search_at::<Found>(url, service, &conditions)? {
        for span in trace.spans {
            stored.add(&trace.id, &span.id);
        }
    }
    Ok(())
}

/// What is read of a trace.
#[derive(Deserialize)]
struct Found {
    #[serde(rename = "traceID")]
    id: String,
    spans: Vec<FoundSpan>,
}

#[derive(Deserialize)]
struct FoundSpan {
    #[serde(rename = "spanID")]
    id: String,
}
