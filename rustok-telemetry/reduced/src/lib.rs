//! The tests of this crate run with `cargo test -p rustok-telemetry-reduced --features http`, and with `grpc`.
