//! Orders: the path through the whole service.
//!
//! One `POST /api/orders` reads the product, reserves stock at the inventory through the
//! circuit breaker, writes the order and publishes `StockReserved`. All of it is one trace.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{Database, now_ms};
use crate::errors::Error;
use crate::events::{EventBus, Payload};
use crate::inventory::InventoryClient;
use crate::metrics;
use crate::products::no_product;
use crate::tenants::Tenant;

/// Hours that a report looks back at most.
const MAX_HOURS: i64 = 24;

/// An order to place.
#[derive(Debug, Clone, Deserialize)]
pub struct NewOrder {
    /// What is ordered.
    pub product_id: String,
    /// How many.
    pub quantity: i64,
}

/// An order.
#[derive(Debug, Clone, Serialize)]
pub struct Order {
    /// Its id, given by the service.
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// What was ordered.
    pub product_id: String,
    /// How many.
    pub quantity: i64,
    /// What it costs in all.
    pub total_cents: i64,
    /// When it was placed, in milliseconds since 1970.
    pub created_at: i64,
}

/// When a tenant sold most.
#[derive(Debug, Clone, Serialize)]
pub struct BusiestSecond {
    /// The second's start, in milliseconds since 1970.
    pub start_at: i64,
    /// How many were sold in it.
    pub sold: i64,
}

/// The operations on orders. Clones share everything.
#[derive(Debug, Clone)]
pub struct Orders {
    db: Database,
    bus: EventBus,
    inventory: InventoryClient,
}

impl Orders {
    /// Orders in `db`, for stock of `inventory`, told of on `bus`.
    #[must_use]
    pub fn new(db: Database, bus: EventBus, inventory: InventoryClient) -> Self {
        Self { db, bus, inventory }
    }

    /// Places an order.
    ///
    /// If the order can't be written, the stock stays reserved; the supplier makes up for it.
    ///
    /// # Errors
    /// When the quantity isn't right, there is no such product or not enough of it, or the
    /// database or the inventory fails.
    #[rustok_telemetry::instrument(name = "orders.place", tenant_id = tenant.id)]
    pub async fn place(&self, tenant: &Tenant, new: NewOrder) -> Result<Order, Error> {
        let _timer = metrics::time_order_duration();
        if !(1..=1000).contains(&new.quantity) {
            return Err(Error::Invalid(vec!["quantity: 1 to 1000".to_owned()]));
        }
        let product = self.db.product(&tenant.id, &new.product_id).await?;
        let product = product.ok_or_else(|| no_product(&new.product_id))?;
        self.inventory.reserve(&product, new.quantity).await?;
        let order = Order {
            id: Uuid::new_v4().to_string(),
            tenant_id: tenant.id.clone(),
            total_cents: product.price_cents.saturating_mul(new.quantity),
            product_id: product.id,
            quantity: new.quantity,
            created_at: now_ms(),
        };
        self.db.insert_order(&order).await?;
        self.bus
            .publish(&tenant.id, Payload::StockReserved(order.clone()));
        metrics::record_order(&tenant.id);
        metrics::record_order_value(&tenant.id, order.total_cents.unsigned_abs());
        Ok(order)
    }

    /// The second in which the tenant sold most.
    ///
    /// # Errors
    /// When the time isn't right, or the database fails.
    #[rustok_telemetry::instrument(name = "orders.busiest", tenant_id = tenant.id)]
    pub async fn busiest(&self, tenant: &Tenant, hours: i64) -> Result<BusiestSecond, Error> {
        if !(1..=MAX_HOURS).contains(&hours) {
            return Err(Error::Invalid(vec![format!("hours: 1 to {MAX_HOURS}")]));
        }
        Ok(self.db.busiest_second(&tenant.id, hours).await?)
    }
}
