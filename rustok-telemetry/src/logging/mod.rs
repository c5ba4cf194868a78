//! The log lines of a service, next to its telemetry, and the same as OTLP log records.
//!
//! Every line on standard error tells the trace, the span and the tenant that it belongs to (`format.rs`, `origin.rs`).
//! With `OTEL_LOGS_EXPORTER=otlp` each is sent as a log record, too (`records.rs`, `logger_provider.rs`).
//!
//! `RUST_LOG` chooses what is logged (`info` by default) and has no influence on spans and metrics: a service that
//! logs warnings only still has its dashboards. What the OpenTelemetry crates log about themselves is left out unless
//! `RUST_LOG` names them or `OTEL_LOG_LEVEL` is set, since an unreachable Collector would make them repeat it; the SDK
//! says it once instead.

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
    format::{HumanLine, JsonLine},
    human_fields::HumanFields,
    origin::Spans,
};
use crate::{InitError, trace::unfiltered_lifecycle::UnfilteredLifecycle};

/// How log lines look.
///
/// Both tell `trace_id`, `span_id` and `tenant_id`, each where there is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// One line for people, with the ids at its end.
    #[default]
    Human,
    /// One JSON object a line, with the ids as keys of its own.
    Json,
}

/// Makes a subscriber that of the process, and lets it have what is logged through the `log` crate, if `enrich` with its
/// key-values.
pub(crate) fn install(
    subscriber: impl Subscriber + Send + Sync,
    enrich: bool,
) -> Result<(), InitError> {
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| InitError::SubscriberAlreadySet)?;
    let installed = match enrich {
        true => KeyValueLogger::install(),
        false => LogTracer::init(),
    };
    if installed.is_err() {
        tracing::warn!(
            "the `log` crate has a logger already: what is logged through it does not come here"
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
    let wanted = env_filter(directives)?.and(not_repeated);
    let spans = Spans::default();
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    Ok(match format {
        LogFormat::Human => {
            let ansi = io::IsTerminal::is_terminal(&io::stderr());
            let lines = lines.with_ansi(ansi).fmt_fields(HumanFields);
            let learn = spans.layer();
            let lines = lines.map_event_format(|line| HumanLine::new(line, ansi, spans));
            wanted_of(lines.and_then(learn), wanted, directives)
        }
        LogFormat::Json => {
            let learn = spans.layer();
            let lines = lines
                .json()
                .map_event_format(|line| JsonLine::new(line, spans));
            wanted_of(lines.and_then(learn), wanted, directives)
        }
    })
}

/// The checked directives of the log filter, or the problem with `RUST_LOG`.
pub(crate) type LogFilter = Result<String, String>;

fn directives_of(log_filter: &LogFilter) -> Result<&str, InitError> {
    match log_filter {
        Ok(directives) => Ok(directives),
        Err(problem) => Err(InitError::Logging(problem.clone())),
    }
}

fn env_filter(directives: &str) -> Result<EnvFilter, InitError> {
    let filter = EnvFilter::builder().parse(directives);
    filter.map_err(|error| InitError::Logging(format!("RUST_LOG={directives}: {error}")))
}

/// A layer that gets what `filter` wants, and has nothing to do when spans are entered, left or closed.
fn wanted_of<S>(
    layer: impl Layer<S> + Send + Sync,
    filter: impl Filter<S> + Send + Sync + 'static,
    directives: &str,
) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    // A directive about spans, such as `[checkout{customer=acme}]=debug`, is for as long as one is entered.
    match directives.contains('[') {
        true => Box::new(layer.with_filter(filter)),
        false => Box::new(UnfilteredLifecycle::new(layer, filter)),
    }
}
