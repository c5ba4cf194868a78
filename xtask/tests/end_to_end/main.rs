//! The whole path, on the real programs: `rustok-server` → Collector → Prometheus and Jaeger.

#![allow(
    clippy::print_stdout,
    reason = "the tests show the figures that they saw"
)]

#[path = "../overlays/collector.rs"]
#[allow(dead_code, reason = "the tests of the overlays ask it more")]
mod collector;
mod dashboards;
mod doctor;
mod every_metric;
mod exemplars;
mod exposition;
mod faults;
mod four_paths;
mod logs;
mod one_trace;
mod outage;
mod outcomes;
mod redaction;
mod rules;
mod sampling;
mod server;
mod span_metrics;
mod sums;
mod support;
