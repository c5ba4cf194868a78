//! The observability stack without containers: Collector, Prometheus and Jaeger as child processes, with the same
//! configuration files as in containers. [`Setup::explore`] adds VictoriaMetrics, whose web page queries metrics.
//!
//! A test owns its stack; dropping it stops the programs:
//!
//! ```no_run
//! use std::time::Duration;
//! use xtask::stack::{Port, Stack, query};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let stack = Stack::builder()
//!     .free_ports()
//!     .run_dir("target/tmp/my-test")
//!     .scrape_interval(Duration::from_secs(1))
//!     .up()?;
//! println!("send OTLP to {}", stack.ports().url(Port::CollectorOtlpGrpc));
//! for sample in query::prometheus_query(&stack, "up")? {
//!     println!("{:?} {}", sample.labels, sample.value);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! `cargo xtask stack up` leaves the programs running, and writes their state into the run folder
//! ([`run_dir::RunDir`]), where `status` and `down` find it. Unix only: it needs signals and symbolic links.

mod port;
pub mod ports;
pub mod process;
pub mod programs;
pub mod query;
pub mod run_dir;
mod running;
pub mod service;
pub mod shortened;
mod start;
mod state;
mod up;

pub use port::Port;
pub use ports::Ports;
pub use running::{ServiceStatus, Stack};
pub use service::{Service, Setup, TraceStorage};
pub use start::StartError;
pub use state::StateError;
pub use up::{Builder, UpError};
