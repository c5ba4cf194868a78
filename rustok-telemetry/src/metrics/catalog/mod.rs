//! The metrics that every service has, a file for each domain.

#![allow(
    unsafe_code,
    reason = "linkme puts catalogue entries into a link section; the lint fires in this crate alone, which declares the slice"
)]

pub(crate) mod boundaries;
pub(crate) mod cache;
pub(crate) mod circuit_breaker;
pub(crate) mod database;
pub(crate) mod event_bus;
#[cfg(feature = "tonic")]
pub(crate) mod grpc;
pub(crate) mod http;
pub(crate) mod module;
#[cfg(feature = "process")]
mod process;
pub(crate) mod span;
#[cfg(feature = "spool")]
mod spool;
mod telemetry;
pub mod tokio_runtime;
