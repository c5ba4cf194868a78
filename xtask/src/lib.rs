//! Tasks of this workspace, as a library: the `xtask` binary and the end-to-end tests share it.
//!
//! [`stack`] runs the observability stack (Collector, Prometheus, Jaeger) without containers.
//! [`catalogue`] makes what is generated from the SDK's tables, [`dashboards`] what Grafana shows of them, [`slo`] the
//! rules of the service level objectives. [`rules`] reads what Prometheus records and alarms on. [`tools`] installs
//! cargo's tools. [`yaml`] reads YAML.
//! [`progress`] is how a task that takes minutes says what it is doing.

pub mod catalogue;
pub mod dashboards;
pub mod progress;
pub mod rules;
pub mod slo;
pub mod stack;
pub mod tools;
pub mod workspace;
pub mod yaml;
