//! The reference service of `rustok-telemetry`: a multi-tenant product catalogue.
//!
//! It is written the way a service at work is written, so that every use of the telemetry
//! can be copied. The reading order:
//!
//! 1. [`cli`]: arguments → telemetry → runtime → service → telemetry's shutdown report.
//! 2. [`app`]: what the service is made of, and the order in which it stops.
//! 3. [`http`]: REST and GraphQL in front of [`products`] and [`orders`].
//! 4. [`tenants`], [`db`], [`events`], [`inventory`]: cache, database, event bus and
//!    circuit breaker. Each records its own metrics where the work happens.
//! 5. [`metrics`]: metrics that this service declares itself.
//! 6. [`traffic`]: the driver behind `--traffic`.
//! 7. [`faults`]: what goes wrong on purpose, behind `--drills`.

pub mod app;
pub mod cli;
pub mod config;
pub mod db;
pub mod errors;
pub mod events;
pub mod faults;
pub mod http;
pub mod inventory;
pub mod metrics;
pub mod orders;
pub mod products;
pub mod state;
pub mod tenants;
pub mod traffic;
