//! Faults between a service and a real Collector: what the telemetry promises, measured.
//!
//! - [`matrix`]: each fault by each protocol. The service counts what it records, the Collector what it receives.
//! - [`chaos`]: the Collector is killed or suspended at random.
//! - [`kills`]: and a service with a spool is killed as well.
//! - [`soak`]: `rustok-server` at full load with a fault every 20 s.
//! - [`overload`]: ten times the traffic that the exporter can send.
//!
//! The [`proxy`] injects faults, and the [`collector`] is killed and suspended by signals.

mod answers;
mod certificates;
pub mod chaos;
pub mod collector;
mod fault;
pub mod kills;
mod latency;
mod load;
pub mod matrix;
pub mod overload;
pub mod proxy;
pub mod service;
pub mod soak;
mod spool;
pub mod table;

use std::fmt;
use std::path::PathBuf;

pub use answers::Answers;
pub use certificates::Certificates;
pub use fault::Fault;
pub use spool::Spool;

/// An error of a run.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The programs of a run, and the folder for its files.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The Collector.
    pub collector: PathBuf,
    /// `fault_service`, of the benchmarks.
    pub service: PathBuf,
    /// `rustok-server`.
    pub server: PathBuf,
    /// The folder for files, which a run replaces.
    pub folder: PathBuf,
}

/// A protocol of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC.
    Grpc,
    /// HTTP with protobuf.
    Http,
}

impl Protocol {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Grpc, Self::Http];
}

/// As `OTEL_EXPORTER_OTLP_PROTOCOL` has it.
impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Grpc => "grpc",
            Self::Http => "http/protobuf",
        })
    }
}
