//! One file for each command.

pub(crate) mod bench;
pub(crate) mod catalogue;
pub(crate) mod dashboards;
pub(crate) mod demo;
pub(crate) mod faults;
pub(crate) mod fuzz;
mod generated;
pub(crate) mod kubernetes;
pub(crate) mod names;
pub(crate) mod scale;
pub(crate) mod semver;
pub(crate) mod size;
pub(crate) mod slo;
pub(crate) mod stack;
pub(crate) mod test;

/// An error of a command, which `main` prints.
pub(crate) type Error = Box<dyn std::error::Error>;
