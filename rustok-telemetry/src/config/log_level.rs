//! How much the SDK logs about itself.

use super::choice::choice;

/// How much the SDK logs about itself, and the OpenTelemetry crates with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What went wrong.
    Error,
    /// And what may go wrong.
    Warn,
    /// And what happens seldom.
    Info,
    /// And what helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

choice!(LogLevel {
    accepted {
        "off" => Off,
        "error" => Error,
        "warn" => Warn,
        "info" => Info,
        "debug" => Debug,
        "trace" => Trace,
    }
    refused { "none" => "its name is `off`", "warning" => "its name is `warn`" }
});
