//! The whole path, on the real programs: `rustok-server` → Collector → Prometheus and Jaeger.

#![allow(
    clippy::print_stdout,
    reason = "the tests show the figures that they saw"
)]

mod dashboards;
mod doctor;
mod every_metric;
mod exposition;
mod faults;
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
