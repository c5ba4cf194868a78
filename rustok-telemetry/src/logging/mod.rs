//! Log lines, and the same events as OTLP log records.
//!
//! Each line on standard error has the ids of its trace and span, and its tenant (`format.rs`, `origin.rs`). With
//! `OTEL_LOGS_EXPORTER=otlp` each is also exported as a log record (`records.rs`, `logger_provider.rs`).
//!
//! `RUST_LOG` filters log lines and log records (`info` by default), not spans and metrics. Events of the OpenTelemetry
//! crates are dropped unless `RUST_LOG` names them or `OTEL_LOG_LEVEL` is set, because an unreachable Collector would
//! repeat them; `delivery/` logs the first failure instead.

mod context_fields;
mod escape;
mod format;
mod human_fields;
mod limits;
pub(crate) mod logger_provider;
mod origin;
mod records;

use std::io;

use tracing::Subscriber;
use tracing_log::LogTracer;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    layer::Filter,
    registry::LookupSpan,
};

pub(crate) use self::records::{RecordSender, records};
use self::{
    context_fields::KeyValueLogger,
    format::{Line, Style},
    human_fields::HumanFields,
    origin::Spans,
};
use crate::{
    InitError,
    trace::{SequentialClose, unfiltered_lifecycle::UnfilteredLifecycle},
};

/// The format of log lines.
///
/// Both formats have `trace_id`, `span_id` and `tenant_id` where they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// One line of text, with the ids at its end.
    #[default]
    Human,
    /// One JSON object per line, with the ids as top-level keys.
    Json,
}

/// Installs the process's subscriber, and a logger that forwards records of the `log` crate to it, with their key-values
/// if `enrich`.
pub(crate) fn install(
    subscriber: impl Subscriber + Send + Sync,
    enrich: bool,
) -> Result<(), InitError> {
    tracing::subscriber::set_global_default(SequentialClose::new(subscriber))
        .map_err(|_| InitError::SubscriberAlreadySet)?;
    let installed = match enrich {
        true => KeyValueLogger::install(),
        false => LogTracer::init(),
    };
    if installed.is_err() {
        tracing::warn!(
            "the `log` crate has a logger already: its records are neither written nor exported by telemetry"
        );
    }
    Ok(())
}

/// Returns the layer that writes log lines to standard error.
pub(crate) fn lines<S>(
    format: LogFormat,
    log_filter: &LogFilter,
) -> Result<Box<dyn Layer<S> + Send + Sync>, InitError>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let directives = directives_of(log_filter)?;
    let names_sdk = directives.contains("opentelemetry");
    let not_repeated =
        filter_fn(move |metadata| names_sdk || !metadata.target().starts_with("opentelemetry"));
    let filter = env_filter(directives)?.and(not_repeated);
    let spans = Spans::default();
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    Ok(match format {
        LogFormat::Human => {
            let ansi = io::IsTerminal::is_terminal(&io::stderr());
            let lines = lines.with_ansi(ansi).fmt_fields(HumanFields);
            let lines = lines.map_event_format(|line| Line::new(Style::human(line, ansi), &spans));
            filtered(lines.and_then(spans.layer()), filter, directives)
        }
        LogFormat::Json => {
            let lines = lines.json();
            let lines = lines.map_event_format(|line| Line::new(Style::Json(line), &spans));
            filtered(lines.and_then(spans.layer()), filter, directives)
        }
    })
}

/// The checked directives of the log filter, or the error in `RUST_LOG`.
pub(crate) type LogFilter = Result<String, String>;

fn directives_of(log_filter: &LogFilter) -> Result<&str, InitError> {
    match log_filter {
        Ok(directives) => Ok(directives),
        Err(error) => Err(InitError::Logging(error.clone())),
    }
}

fn env_filter(directives: &str) -> Result<EnvFilter, InitError> {
    let filter = EnvFilter::builder().parse(directives);
    filter.map_err(|error| InitError::Logging(format!("RUST_LOG={directives}: {error}")))
}

/// Filters a layer that ignores when spans are entered, exited and closed.
fn filtered<S>(
    layer: impl Layer<S> + Send + Sync,
    filter: impl Filter<S> + Send + Sync + 'static,
    directives: &str,
) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    // A directive for spans, such as `[checkout{customer=acme}]=debug`, needs enter and exit.
    match directives.contains('[') {
        true => Box::new(layer.with_filter(filter)),
        false => Box::new(UnfilteredLifecycle::new(layer, filter)),
    }
}
