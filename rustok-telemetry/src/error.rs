//! Why telemetry could not be started.

use std::{error::Error, fmt};

use crate::config::ConfigError;

/// Why telemetry could not be started. Its text has one line per error.
///
/// `Display` omits the cause, which is the [`source`](std::error::Error::source). `Debug` is the text with all causes,
/// since Rust prints it if `main` returns an error or a `Result` is unwrapped.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The configuration has errors, all of which are listed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Telemetry has been started before in this process.
    #[error(
        "telemetry has been started before in this process: call rustok_telemetry::init() once, in main, and keep the \
         guard that it returns"
    )]
    AlreadyInitialized,
    /// Another global `tracing` subscriber is installed.
    #[error(
        "a tracing subscriber is installed already: remove it, or call \
         rustok_telemetry::builder().without_subscriber() and add Telemetry::layer() to yours, and \
         Telemetry::log_layer() if it has no log lines of its own"
    )]
    SubscriberAlreadySet,
    /// Another global recorder of the `metrics` crate is installed.
    #[error(
        "a recorder of the metrics crate is installed already, and a process has one: remove it, or \
         Builder::with_metrics_facade()"
    )]
    RecorderAlreadySet,
    /// Metrics that are declared more than once.
    #[error("{}", .0.join("\n"))]
    Catalogue(Vec<String>),
    /// `RUST_LOG` is invalid.
    #[error("{0}")]
    Logging(String),
    /// A part of the pipeline could not be started.
    #[error("cannot start {part}")]
    #[non_exhaustive]
    Pipeline {
        /// The part and its settings, without secrets.
        part: String,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl InitError {
    pub(crate) fn pipeline(
        part: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let (part, source) = (part.into(), source.into());
        Self::Pipeline { part, source }
    }
}

impl fmt::Debug for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TelemetryConfig;

    /// Returns an error of each variant. The match fails to compile for a new variant.
    fn all() -> Vec<InitError> {
        let wrong = [
            ("OTEL_SDK_DISABLED", "yes"),
            ("OTEL_TRACES_SAMPLER_ARG", "10"),
        ];
        let config = TelemetryConfig::from_vars(wrong).expect_err("two errors");
        let all = vec![
            InitError::Config(config),
            InitError::AlreadyInitialized,
            InitError::SubscriberAlreadySet,
            InitError::RecorderAlreadySet,
            InitError::Catalogue(vec!["a is declared twice".to_owned()]),
            InitError::Logging("RUST_LOG=x=y: wrong".to_owned()),
            InitError::pipeline("the thread for connections", "none"),
        ];
        for error in &all {
            match error {
                InitError::Config(_)
                | InitError::AlreadyInitialized
                | InitError::SubscriberAlreadySet
                | InitError::RecorderAlreadySet
                | InitError::Catalogue(_)
                | InitError::Logging(_)
                | InitError::Pipeline { .. } => {}
            }
        }
        all
    }

    #[test]
    fn debug_is_the_text_with_all_causes() {
        for error in all() {
            let mut shown = error.to_string();
            if let InitError::Pipeline { .. } = error {
                assert_eq!(shown, "cannot start the thread for connections");
                shown.push_str(": none");
            }
            assert_eq!(format!("{error:?}"), shown);
            assert_eq!(format!("{error:#?}"), shown);
            let boxed: Box<dyn Error> = error.into();
            assert_eq!(format!("{boxed:?}"), shown);
        }
    }

    /// As `anyhow` prints a chain with `{:#}`.
    #[test]
    fn a_chain_of_sources_says_nothing_twice() {
        for error in all() {
            let shown = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                let cause_shown = cause.to_string();
                assert!(!shown.contains(&cause_shown), "{cause_shown} in {shown}");
                source = cause.source();
            }
        }
    }
}
