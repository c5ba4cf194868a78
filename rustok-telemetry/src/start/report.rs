//! Reports of what a flush or a shutdown did not export.

use std::{fmt, time::Duration};

/// Report of [`Telemetry::force_flush`](crate::Telemetry::force_flush): what it did not export.
///
/// Its [`Display`](fmt::Display) is one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "it says what could not be sent: print it unless it `is_complete`"]
#[non_exhaustive]
pub struct FlushReport {
    /// Whether telemetry has an exporter that sends: false if it is disabled, if every exporter is off, or with
    /// `prometheus` alone, which is scraped.
    pub has_exporters: bool,
    /// Duration of the flush.
    pub elapsed: Duration,
    /// Whether the timeout elapsed before every export was attempted.
    pub timed_out: bool,
    /// Sampled spans that were still queued at the timeout. They may be exported later.
    pub unsent_spans: u64,
    /// Sampled spans whose export failed during the flush.
    pub lost_spans: u64,
    /// Log records that were still queued at the timeout. They may be exported later.
    pub unsent_log_records: u64,
    /// Log records whose export failed during the flush.
    pub lost_log_records: u64,
    /// Whether the export of the metrics was in progress at the timeout. Their totals are exported again later.
    pub unsent_metrics: bool,
    /// Last error of the trace exporter, if spans were not exported.
    pub traces_error: Option<String>,
    /// Last error of the log exporter, if log records were not exported.
    pub logs_error: Option<String>,
    /// Last error of the metric exporter.
    pub metrics_error: Option<String>,
}

/// Report of [`Telemetry::shutdown`](crate::Telemetry::shutdown): what was not exported.
///
/// Its [`Display`](fmt::Display) is one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "it says what was not sent: print it unless it `is_complete`"]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Whether telemetry has an exporter that sends, as in [`FlushReport::has_exporters`]. Also false if the service has
    /// providers of its own, which it shuts down itself.
    pub has_exporters: bool,
    /// Duration of the shutdown.
    pub elapsed: Duration,
    /// Whether the timeout elapsed before every export was attempted.
    pub timed_out: bool,
    /// Sampled spans that were open when the shutdown began. They are not exported.
    pub open_spans: u64,
    /// Sampled spans that were still queued at the timeout.
    pub unsent_spans: u64,
    /// Sampled spans that stay in the spool, for the next process. 0 without a spool.
    pub spooled_spans: u64,
    /// Sampled spans that the process has dropped: their export failed, or the queue was full.
    pub lost_spans: u64,
    /// Log records that were still queued at the timeout.
    pub unsent_log_records: u64,
    /// Log records that stay in the spool, for the next process. 0 without a spool.
    pub spooled_log_records: u64,
    /// Log records that the process has dropped: their export failed, the queue was full, or they were emitted after
    /// the shutdown had begun.
    pub lost_log_records: u64,
    /// Error of the last trace export.
    pub traces_error: Option<String>,
    /// Error of the last log export.
    pub logs_error: Option<String>,
    /// Error of the last metric export.
    pub metrics_error: Option<String>,
}

impl FlushReport {
    /// Returns whether everything recorded before the flush was exported.
    pub fn is_complete(&self) -> bool {
        self.failures().is_empty()
    }

    fn failures(&self) -> Vec<String> {
        let mut failures = failures(
            self.timed_out.then_some(self.elapsed),
            &[
                (self.unsent_spans, "span", "still waiting"),
                (self.lost_spans, "span", "dropped"),
                (self.unsent_log_records, "log record", "still waiting"),
                (self.lost_log_records, "log record", "dropped"),
            ],
            &[
                ("traces", &self.traces_error),
                ("logs", &self.logs_error),
                ("metrics", &self.metrics_error),
            ],
        );
        if self.unsent_metrics {
            failures.push("the metrics were still on their way".to_owned());
        }
        failures
    }
}

impl ShutdownReport {
    /// Returns whether everything that was recorded has been exported.
    pub fn is_complete(&self) -> bool {
        self.failures().is_empty()
    }

    fn failures(&self) -> Vec<String> {
        failures(
            self.timed_out.then_some(self.elapsed),
            &[
                (self.open_spans, "span", "had not ended"),
                (self.unsent_spans, "span", "left in the queue"),
                (self.spooled_spans, "span", "kept in the spool"),
                (self.lost_spans, "span", "dropped"),
                (self.unsent_log_records, "log record", "left in the queue"),
                (self.spooled_log_records, "log record", "kept in the spool"),
                (self.lost_log_records, "log record", "dropped"),
            ],
            &[
                ("traces", &self.traces_error),
                ("logs", &self.logs_error),
                ("the last metrics", &self.metrics_error),
            ],
        )
    }
}

impl fmt::Display for FlushReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(&self.failures(), self.has_exporters))
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(&self.failures(), self.has_exporters))
    }
}

/// Describes each failure. `timed_out_after` is the duration at a timeout.
fn failures(
    timed_out_after: Option<Duration>,
    counts: &[(u64, &str, &str)],
    errors: &[(&str, &Option<String>)],
) -> Vec<String> {
    let timeout =
        timed_out_after.map(|after| format!("the time was up after {:.1} s", after.as_secs_f64()));
    let counts = counts.iter().filter(|(count, ..)| *count > 0);
    let counts = counts.map(|(count, item, state)| {
        let plural = if *count == 1 { "" } else { "s" };
        format!("{count} {item}{plural} {state}")
    });
    let errors = errors
        .iter()
        .filter_map(|(what, error)| Some(format!("{what}: {}", error.as_ref()?)));
    timeout.into_iter().chain(counts).chain(errors).collect()
}

fn line(failures: &[String], has_exporters: bool) -> String {
    if !failures.is_empty() {
        let failures = failures.join("; ");
        return format!("telemetry: not everything was sent: {failures}");
    }
    match has_exporters {
        true => "telemetry: everything was sent".to_owned(),
        false => {
            "telemetry: nothing to send: it is disabled, or has no exporter that sends".to_owned()
        }
    }
}
