//! The whole path, on the real programs: `rustok-server` → Collector → Prometheus and Jaeger.

mod every_metric;
mod exposition;
mod one_trace;
mod sampling;
mod server;
mod sums;
mod support;
