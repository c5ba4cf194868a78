//! OpenTelemetry's own extension points: what a service adds to the builder gets what this crate's exporters get.
#![cfg(feature = "testing")]

mod logs;
mod metrics;
mod resource;
mod samples;
mod spans;
#[path = "../support/mod.rs"]
mod support;
mod views;
