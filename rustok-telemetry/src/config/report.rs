//! What is in force, as lines to print.

use std::fmt::{self, Display};
use std::time::Duration;

use super::batch::BatchConfig;
use super::error::Diagnostic;
use super::logs::LogsExporter;
use super::metrics::MetricsExporter;
use super::otlp::OtlpConfig;
use super::resource::Propagator;
use super::setting::{Setting, Source};
use super::telemetry::TelemetryConfig;
use super::traces::TracesExporter;
use super::variables::one_line;
use super::views::View;

/// What is in force: one line per setting, with its source. Secrets are masked.
///
/// ```
/// let config = rustok_telemetry::config::TelemetryConfig::from_vars([("OTEL_SERVICE_NAME", "shop")])?;
/// assert!(config.report().to_string().contains("service.name = shop (OTEL_SERVICE_NAME)\n"));
/// # Ok::<(), rustok_telemetry::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The settings.
    pub lines: Vec<ReportLine>,
    /// `OTEL_*` variables that are set and that nobody here knows.
    pub unknown: Vec<String>,
    /// What is wrong. Each of these variables counts as unset.
    pub diagnostics: Vec<Diagnostic>,
    /// What is allowed, but probably not meant.
    pub warnings: Vec<String>,
}

/// One setting, as it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLine {
    /// The setting's name, such as `traces.sampler`.
    pub name: String,
    /// Its value, with secrets masked.
    pub value: String,
    /// Where the value came from.
    pub source: Source,
}

impl Report {
    pub(super) fn new(config: &TelemetryConfig) -> Self {
        let mut lines = Lines::default();
        lines.general(config);
        lines.traces(config);
        lines.metrics(config);
        lines.logs(config);
        lines.leave_out_unused(config);
        Self {
            lines: lines.0,
            unknown: config.unknown.clone(),
            diagnostics: config.diagnostics.clone(),
            warnings: config.warnings(),
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ReportLine {
            name,
            value,
            source,
        } in &self.lines
        {
            writeln!(f, "{name} = {value} ({source})")?;
        }
        for name in &self.unknown {
            writeln!(f, "unknown: {} is set, and left alone", one_line(name))?;
        }
        for diagnostic in &self.diagnostics {
            writeln!(f, "error: {diagnostic}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Lines(Vec<ReportLine>);

impl Lines {
    fn add<T>(&mut self, name: &str, setting: &Setting<T>, value: impl Display) {
        self.0.push(ReportLine {
            name: name.to_owned(),
            value: one_line(&value.to_string()),
            source: setting.source,
        });
    }

    /// Defaults of what does not run would only mislead.
    fn leave_out_unused(&mut self, config: &TelemetryConfig) {
        let (traces, metrics, logs) = (&config.traces, &config.metrics, &config.logs);
        let by_otlp = [
            (
                "traces",
                traces.exporters.value.contains(&TracesExporter::Otlp),
            ),
            (
                "metrics",
                metrics.exporters.value.contains(&MetricsExporter::Otlp),
            ),
            ("logs", logs.exporters.value.contains(&LogsExporter::Otlp)),
        ];
        for (signal, by_otlp) in by_otlp {
            let unused = [".otlp.", ".batch."].map(|part| format!("{signal}{part}"));
            self.0.retain(|line| {
                let is_unused = unused.iter().any(|prefix| line.name.starts_with(prefix));
                by_otlp || !is_unused || line.source != Source::Default
            });
        }
    }

    fn general(&mut self, config: &TelemetryConfig) {
        let name = config.service_name.value.as_deref().unwrap_or("not set");
        let attributes = &config.resource_attributes;
        let pairs = attributes
            .value
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        let propagators = config.propagators.value.iter().map(Propagator::to_string);
        self.add("strict", &config.strict, config.strict.value);
        self.add("disabled", &config.disabled, config.disabled.value);
        self.add("service.name", &config.service_name, name);
        self.add("resource.attributes", attributes, joined(pairs));
        self.add("propagators", &config.propagators, joined(propagators));
        self.add("log.filter", &config.log_filter, &config.log_filter.value);
        let level = config.log_level.value.map(|level| level.to_string());
        let level = level.as_deref().unwrap_or("as RUST_LOG says");
        self.add("log_level", &config.log_level, level);
    }

    fn traces(&mut self, config: &TelemetryConfig) {
        let traces = &config.traces;
        let limits = &traces.limits;
        let exporters = traces.exporters.value.iter().map(ToString::to_string);
        self.add("traces.exporters", &traces.exporters, joined(exporters));
        self.add("traces.sampler", &traces.sampler, traces.sampler.value);
        self.batch("traces", &traces.batch);
        for (name, setting) in [
            ("traces.limits.attributes", &limits.attributes),
            ("traces.limits.events", &limits.events),
            ("traces.limits.links", &limits.links),
            (
                "traces.limits.attributes_per_event",
                &limits.attributes_per_event,
            ),
            (
                "traces.limits.attributes_per_link",
                &limits.attributes_per_link,
            ),
        ] {
            self.add(name, setting, setting.value);
        }
        self.length("traces.limits.value_length", &limits.value_length);
        self.otlp("traces", &traces.otlp);
    }

    fn metrics(&mut self, config: &TelemetryConfig) {
        let metrics = &config.metrics;
        let exporters = metrics.exporters.value.iter().map(ToString::to_string);
        self.add("metrics.exporters", &metrics.exporters, joined(exporters));
        self.add(
            "metrics.interval",
            &metrics.interval,
            milliseconds(metrics.interval.value),
        );
        self.timeout("metrics.timeout", &metrics.timeout);
        self.add(
            "metrics.temporality",
            &metrics.temporality,
            metrics.temporality.value,
        );
        self.add(
            "metrics.histograms",
            &metrics.histograms,
            metrics.histograms.value,
        );
        self.add(
            "metrics.exemplars",
            &metrics.exemplars,
            metrics.exemplars.value,
        );
        let prometheus = &metrics.prometheus;
        if let Some((host, port)) = metrics.prometheus_address() {
            self.add("metrics.prometheus.host", &prometheus.host, host);
            self.add("metrics.prometheus.port", &prometheus.port, port);
        } else {
            let unused = "not used: nothing listens";
            self.add("metrics.prometheus.host", &prometheus.host, unused);
            self.add("metrics.prometheus.port", &prometheus.port, unused);
        }
        let views = metrics.views.value.iter().map(View::to_string);
        self.add("metrics.views", &metrics.views, joined(views));
        self.otlp("metrics", &metrics.otlp);
    }

    fn logs(&mut self, config: &TelemetryConfig) {
        let logs = &config.logs;
        let exporters = logs.exporters.value.iter().map(ToString::to_string);
        self.add("logs.exporters", &logs.exporters, joined(exporters));
        self.batch("logs", &logs.batch);
        let limits = &logs.limits;
        self.add(
            "logs.limits.attributes",
            &limits.attributes,
            limits.attributes.value,
        );
        self.length("logs.limits.value_length", &limits.value_length);
        self.otlp("logs", &logs.otlp);
    }

    fn batch(&mut self, signal: &str, batch: &BatchConfig) {
        let name = |setting: &str| format!("{signal}.batch.{setting}");
        let (queue, size) = (&batch.max_queue_size, &batch.max_export_batch_size);
        self.add(
            &name("schedule_delay"),
            &batch.schedule_delay,
            milliseconds(batch.schedule_delay.value),
        );
        self.timeout(&name("export_timeout"), &batch.export_timeout);
        self.add(&name("max_queue_size"), queue, queue.value);
        self.add(&name("max_export_batch_size"), size, size.value);
    }

    fn otlp(&mut self, signal: &str, otlp: &OtlpConfig) {
        let name = |setting: &str| format!("{signal}.otlp.{setting}");
        self.add(&name("url"), &otlp.endpoint, otlp.shown_url());
        self.add(&name("protocol"), &otlp.protocol, otlp.protocol.value);
        self.add(&name("headers"), &otlp.headers, &otlp.headers.value);
        self.timeout(&name("timeout"), &otlp.timeout);
        self.add(
            &name("compression"),
            &otlp.compression,
            otlp.compression.value,
        );
        self.add(&name("insecure"), &otlp.insecure, otlp.insecure.value);
        let tls = &otlp.tls;
        for (name, path, unset) in [
            (name("certificate"), &tls.certificate, "of the system"),
            (name("client_certificate"), &tls.client_certificate, "none"),
            (name("client_key"), &tls.client_key, "none"),
        ] {
            let value = path.value.as_deref().map(|path| path.display().to_string());
            self.add(&name, path, value.as_deref().unwrap_or(unset));
        }
    }

    fn length(&mut self, name: &str, setting: &Setting<Option<u32>>) {
        let value = setting
            .value
            .map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
        self.add(name, setting, value);
    }

    fn timeout(&mut self, name: &str, setting: &Setting<Option<Duration>>) {
        let value = setting
            .value
            .map_or_else(|| "no limit".to_owned(), milliseconds);
        self.add(name, setting, value);
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    let text = parts.collect::<Vec<_>>().join(",");
    if text.is_empty() {
        "none".to_owned()
    } else {
        text
    }
}
