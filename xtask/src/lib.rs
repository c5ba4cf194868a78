//! Tasks of this workspace, as a library: the `xtask` binary and the end-to-end tests share it.
//!
//! [`stack`] runs the observability stack (Collector, Prometheus, Jaeger) without containers.
//! [`progress`] is how a task that takes minutes says what it is doing.

pub mod progress;
pub mod stack;
pub mod workspace;
