//! Why telemetry could not be started.

use crate::config::{ConfigError, debug_is_display};

/// Why telemetry could not be started. Displayed, it has one line for each problem.
///
/// `Debug` is the same text: that is what Rust prints where `main` returns an error, and where a `Result` is unwrapped.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// A variable of the environment is wrong; all that are wrong are listed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `init` has succeeded before in this process.
    #[error(
        "telemetry has been started before in this process: call rustok_telemetry::init() once, in main, and keep the \
         guard that it returns"
    )]
    AlreadyInitialized,
    /// Something else has installed a global `tracing` subscriber.
    #[error(
        "a tracing subscriber is installed already: remove it, or call \
         rustok_telemetry::builder().without_subscriber() and add Telemetry::layer() to yours, and \
         Telemetry::log_layer() if it has no log lines of its own"
    )]
    SubscriberAlreadySet,
    /// Metrics that are declared more than once.
    #[error("{}", .0.join("\n"))]
    Catalogue(Vec<String>),
    /// `RUST_LOG` is wrong.
    #[error("{0}")]
    Logging(String),
    /// A part of the pipeline could not be made.
    #[error("cannot start {0}")]
    Pipeline(String),
}

debug_is_display!(InitError);

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;
    use crate::config::TelemetryConfig;

    /// Each variant; a new one does not compile without a place here.
    fn all() -> Vec<InitError> {
        let wrong = [
            ("OTEL_SDK_DISABLED", "yes"),
            ("OTEL_TRACES_SAMPLER_ARG", "10"),
        ];
        let config = TelemetryConfig::from_vars(wrong).expect_err("two problems");
        let all = vec![
            InitError::Config(config),
            InitError::AlreadyInitialized,
            InitError::SubscriberAlreadySet,
            InitError::Catalogue(vec!["a is declared twice".to_owned()]),
            InitError::Logging("RUST_LOG=x=y: wrong".to_owned()),
            InitError::Pipeline("the thread for connections: none".to_owned()),
        ];
        for error in &all {
            match error {
                InitError::Config(_)
                | InitError::AlreadyInitialized
                | InitError::SubscriberAlreadySet
                | InitError::Catalogue(_)
                | InitError::Logging(_)
                | InitError::Pipeline(_) => {}
            }
        }
        all
    }

    #[test]
    fn debug_is_the_text_for_people() {
        for error in all() {
            let shown = error.to_string();
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
