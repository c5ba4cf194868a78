//! Parameters of a request.

use std::{collections::BTreeSet, time::Duration};

use opentelemetry::{TraceId, logs::Severity};

use super::{log_lines::LineQuery, search::Search, series::SeriesQuery, traces::TraceQuery};

/// Items of an answer without `limit`, and at most.
const LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

/// Metrics, labels and filters of one request for series at most.
const MAX_VALUES: usize = 32;

/// The decoded parameters.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn of(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// Returns the value of a parameter; empty without one.
    pub(super) fn text(&self, name: &str) -> &str {
        let first = self.0.iter().find(|(key, _)| key == name);
        first.map_or("", |(_, value)| value)
    }

    /// Returns the different values of a parameter.
    fn all(&self, name: &str) -> Result<BTreeSet<&str>, String> {
        let same = self.0.iter().filter(|(key, _)| key == name);
        let values: BTreeSet<_> = same.map(|(_, value)| value.as_str()).collect();
        match values.len() <= MAX_VALUES {
            true => Ok(values),
            false => Err(format!("{name}= is possible {MAX_VALUES} times at most")),
        }
    }

    fn number(&self, name: &str, default: f64) -> Result<f64, String> {
        match self.text(name) {
            "" => Ok(default),
            text => match text.parse::<f64>() {
                Ok(number) if number >= 0.0 => Ok(number),
                _ => Err(format!("{name}={text} is no number of 0 or more")),
            },
        }
    }

    fn limit(&self) -> Result<usize, String> {
        let limit = self.number("limit", LIMIT as f64)?;
        Ok((limit as usize).min(MAX_LIMIT))
    }

    /// # Errors
    ///
    /// These functions return a sentence about the parameter that is invalid.
    pub(super) fn series(&self) -> Result<SeriesQuery, String> {
        let metrics = self.all("metric")?;
        if metrics.is_empty() {
            return Err("name a metric, such as metric=NAME".to_owned());
        }
        let by = self.all("by")?;
        let labels = by.iter().filter(|label| !label.is_empty());
        let labels = labels.map(|label| (*label).to_owned()).collect();
        let matching = self.all("match")?.into_iter();
        let matching = matching.map(|pair| match pair.split_once('=') {
            Some((label, value)) => Ok((label.to_owned(), value.to_owned())),
            None => Err(format!("match={pair} is not match=LABEL=VALUE")),
        });
        Ok(SeriesQuery {
            metrics: metrics.into_iter().map(str::to_owned).collect(),
            by: (!by.is_empty()).then_some(labels),
            matching: matching.collect::<Result<_, _>>()?,
            since: self.number("since", 0.0)? as u64,
        })
    }

    pub(super) fn traces(&self) -> Result<TraceQuery, String> {
        let duration = |name, default| {
            let milliseconds = self.number(name, default)?;
            let duration = Duration::try_from_secs_f64(milliseconds / 1000.0);
            Ok::<_, String>(duration.unwrap_or(Duration::MAX))
        };
        let has_error = match self.text("status") {
            "" => None,
            "error" => Some(true),
            "ok" => Some(false),
            other => return Err(format!("status={other} is neither error nor ok")),
        };
        Ok(TraceQuery {
            text: Search::new(self.text("text")),
            operation: self.text("operation").to_owned(),
            tenant: self.text("tenant").to_owned(),
            has_error,
            min: duration("min_ms", 0.0)?,
            max: duration("max_ms", f64::INFINITY)?,
            limit: self.limit()?,
        })
    }

    pub(super) fn lines(&self) -> Result<LineQuery, String> {
        let severity = match self.text("level").to_ascii_lowercase().as_str() {
            "" | "trace" => 0,
            "debug" => Severity::Debug as i32,
            "info" => Severity::Info as i32,
            "warn" => Severity::Warn as i32,
            "error" => Severity::Error as i32,
            other => {
                return Err(format!(
                    "level={other} is none of trace, debug, info, warn, error"
                ));
            }
        };
        let before = match self.text("before") {
            "" => None,
            _ => Some(self.number("before", 0.0)? as u64),
        };
        Ok(LineQuery {
            severity,
            target: self.text("target").to_owned(),
            text: Search::new(self.text("text")),
            trace_id: match self.text("trace_id") {
                "" => None,
                // Without an id that is valid, no line matches.
                id => Some(TraceId::from_hex(id).unwrap_or(TraceId::INVALID)),
            },
            before,
            limit: self.limit()?,
        })
    }
}
