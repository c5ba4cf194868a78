//! Macros of `rustok-telemetry`.
