//! What request handlers share.

use crate::db::Database;
use crate::faults::Faults;
use crate::orders::Orders;
use crate::products::Catalogue;
use crate::tenants::Tenants;

/// Handles to the parts of the service. A clone is cheap, and shares everything.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The database, for the readiness check.
    pub db: Database,
    /// Tenants, and their cache.
    pub tenants: Tenants,
    /// The operations on products.
    pub catalogue: Catalogue,
    /// The operations on orders.
    pub orders: Orders,
    /// What goes wrong on purpose.
    pub faults: Faults,
}
