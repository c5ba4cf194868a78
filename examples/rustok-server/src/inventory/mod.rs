//! The inventory: stock levels, in a service of its own.
//!
//! [`server`] is that service. The catalogue reaches it with [`InventoryClient`], through a
//! circuit breaker, and starts it as a [`Child`] if it is given none.

mod breaker;
mod child;
mod client;
mod proto;
pub mod server;
mod stock;

pub use child::Child;
pub use client::{InventoryClient, InventoryError};
