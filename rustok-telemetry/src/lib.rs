//! OpenTelemetry-native instrumentation for Rust services.
