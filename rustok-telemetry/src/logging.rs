//! The log lines of a service, next to its telemetry.
//!
//! `RUST_LOG` chooses what is logged (`info` by default) and has no influence on spans and metrics: a service that
//! logs warnings only still has its dashboards. What the OpenTelemetry crates log about themselves is left out unless
//! `RUST_LOG` names them, since an unreachable Collector would make them repeat it; the SDK says it once instead.

use std::{env, io};

use tracing::{Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, filter::FilterExt, filter::filter_fn, registry::LookupSpan,
};

use crate::InitError;

const VARIABLE: &str = "RUST_LOG";
const DEFAULT: &str = "info";

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// One line for people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Makes a subscriber that of the process, and lets it have what is logged through the `log` crate.
pub(crate) fn install(subscriber: impl Subscriber + Send + Sync) -> Result<(), InitError> {
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| InitError::SubscriberAlreadySet)?;
    if tracing_log::LogTracer::init().is_err() {
        tracing::warn!(
            "the `log` crate has a logger already: what is logged through it does not come here"
        );
    }
    Ok(())
}

/// The layer that writes log lines to standard error.
pub(crate) fn layer<S>(format: LogFormat) -> Result<Box<dyn Layer<S> + Send + Sync>, InitError>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let directives = match env::var(VARIABLE) {
        Ok(directives) if !directives.trim().is_empty() => directives,
        Ok(_) | Err(env::VarError::NotPresent) => DEFAULT.to_owned(),
        Err(env::VarError::NotUnicode(_)) => {
            return Err(InitError::Logging(format!("{VARIABLE} is not valid UTF-8")));
        }
    };
    let wanted = EnvFilter::builder().parse(&directives).map_err(|error| {
        InitError::Logging(format!(
            "{VARIABLE}={directives}: {error}. Allowed: levels and directives, such as info or warn,my_crate=debug"
        ))
    })?;
    let names_sdk = directives.contains("opentelemetry");
    let not_repeated = filter_fn(move |metadata: &Metadata<'_>| {
        names_sdk || !metadata.target().starts_with("opentelemetry")
    });
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines: Box<dyn Layer<S> + Send + Sync> = match format {
        LogFormat::Human => Box::new(lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr()))),
        LogFormat::Json => Box::new(lines.json()),
    };
    Ok(Box::new(lines.with_filter(wanted.and(not_repeated))))
}
