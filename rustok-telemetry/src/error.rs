//! Why telemetry could not be started.

use crate::config::ConfigError;

/// Why telemetry could not be started. Displayed, it has one line for each problem.
#[derive(Debug, thiserror::Error)]
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
