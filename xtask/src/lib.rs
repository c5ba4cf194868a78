//! The development tasks as a library, which the `xtask` binary and the end-to-end tests share.
//!
//! - [`stack`] runs the observability stack (Collector, Prometheus, Jaeger) without containers.
//! - [`catalogue`], [`dashboards`] and [`slo`] generate documentation, Grafana dashboards and Prometheus rules.
//! - [`kubernetes`] generates the rules of the Prometheus Operator from those of Prometheus.
//! - [`faults`] measures what faults between a service and the Collector do.
//! - [`scale`] runs two tiers of Collectors, and kills parts of them.
//! - [`bench_summary`] computes the summary of the benchmarks from their tables.
//! - [`names`] rewrites dashboards and rules for other names of the built-in metrics.
//! - [`rules`] reads the rule files of Prometheus, [`yaml`] YAML.
//! - [`children`] ends the programs that it started with this one.
//! - [`tools`] installs cargo's tools, [`browser`] Chromium and axe-core, [`python`] a package of Python,
//!   [`progress`] shows the progress of long tasks.

pub mod bench_summary;
pub mod browser;
pub mod catalogue;
pub mod children;
pub mod dashboards;
pub mod faults;
pub mod kubernetes;
pub mod names;
pub mod progress;
pub mod python;
pub mod render;
pub mod rules;
pub mod scale;
pub mod slo;
pub mod stack;
pub mod tools;
pub mod workspace;
pub mod yaml;
