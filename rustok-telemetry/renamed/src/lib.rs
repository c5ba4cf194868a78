//! A company's crate that re-exports rustok-telemetry, which its manifest renames.

pub use acme as telemetry;
