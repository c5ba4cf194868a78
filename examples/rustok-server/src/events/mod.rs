//! Events: what happened in the catalogue, for whoever has to act on it later.
//!
//! [`EventBus::publish`] puts an event in a bounded queue in memory. One worker takes them
//! out in order and gives each to the handlers ([`IndexHandler`], [`AuditHandler`]). The
//! event's metadata carries the trace context of the publisher, so the handlers' spans are
//! part of the trace of the request, although they run in another task.

mod bus;
mod handlers;
mod worker;

use rustok_telemetry::event_bus::EventMetadata;
use uuid::Uuid;

use crate::orders::Order;
use crate::products::Product;

pub use bus::EventBus;
pub use handlers::{AuditHandler, EventHandler, HandlerError, IndexHandler};
pub use worker::Worker;

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// Facts about the event itself.
    pub metadata: Metadata,
    /// What happened.
    pub payload: Payload,
}

/// Facts about an event itself.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// The event's id.
    pub id: Uuid,
    /// The tenant whose data changed.
    pub tenant_id: String,
    /// When it was published, and the trace that it belongs to.
    pub telemetry: EventMetadata,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Payload {
    /// A product was added.
    ProductCreated(Product),
    /// A product was changed.
    ProductUpdated(Product),
    /// A product was deleted.
    ProductDeleted {
        /// The product that was.
        id: String,
    },
    /// Stock was reserved for an order.
    StockReserved(Order),
}

impl Payload {
    /// The name of the event's type, as in the metrics.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::ProductCreated(_) => "ProductCreated",
            Self::ProductUpdated(_) => "ProductUpdated",
            Self::ProductDeleted { .. } => "ProductDeleted",
            Self::StockReserved(_) => "StockReserved",
        }
    }

    /// The id of what it happened to.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Self::ProductCreated(product) | Self::ProductUpdated(product) => &product.id,
            Self::ProductDeleted { id } => id,
            Self::StockReserved(order) => &order.id,
        }
    }
}
