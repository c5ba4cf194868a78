//! The catalogue: what REST and GraphQL have in common.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{Database, now_ms};
use crate::errors::Error;
use crate::events::{EventBus, Payload};
use crate::inventory::InventoryClient;
use crate::tenants::Tenant;

/// Products that a list has at most.
const MAX_LIMIT: i64 = 100;

/// A product of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, async_graphql::SimpleObject)]
pub struct Product {
    /// Its id, given by the service.
    pub id: String,
    /// Whose it is.
    #[graphql(skip)]
    pub tenant_id: String,
    /// The tenant's own id for it.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// More about it.
    pub description: String,
    /// Its price.
    pub price_cents: i64,
    /// When it was added, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was changed last, in milliseconds since 1970.
    pub updated_at: i64,
}

/// A product to add.
#[derive(Debug, Clone, Deserialize, async_graphql::InputObject)]
#[graphql(name = "NewProduct")]
pub struct NewProduct {
    /// The tenant's own id for it: letters, digits, `-`, `_` and `.`.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// More about it.
    #[serde(default)]
    #[graphql(default)]
    pub description: String,
    /// Its price.
    pub price_cents: i64,
}

/// What may change of a product.
#[derive(Debug, Clone, Deserialize)]
pub struct Changes {
    /// Its new name.
    pub name: String,
    /// More about it.
    #[serde(default)]
    pub description: String,
    /// Its new price.
    pub price_cents: i64,
}

/// How many of a product can be had.
#[derive(Debug, Clone, Serialize)]
pub struct Availability {
    /// The product.
    pub product_id: String,
    /// The tenant's own id for it.
    pub sku: String,
    /// How many there are.
    pub available: i64,
}

/// The operations on products. Clones share everything.
#[derive(Debug, Clone)]
pub struct Catalogue {
    db: Database,
    bus: EventBus,
    inventory: InventoryClient,
}

impl Catalogue {
    /// A catalogue of the products in `db`, which tells of changes on `bus`.
    #[must_use]
    pub fn new(db: Database, bus: EventBus, inventory: InventoryClient) -> Self {
        Self { db, bus, inventory }
    }

    /// The newest products, or those with a word in their text.
    ///
    /// # Errors
    /// When the database fails.
    #[rustok_telemetry::instrument(name = "catalogue.list", tenant_id = tenant.id)]
    pub async fn list(
        &self,
        tenant: &Tenant,
        search: Option<&str>,
        limit: Option<i64>,
    ) -> Result<Vec<Product>, Error> {
        let limit = limit.unwrap_or(20).clamp(1, MAX_LIMIT);
        match search {
            Some(word) => Ok(self.db.search(&tenant.id, word, limit).await?),
            None => Ok(self.db.products(&tenant.id, limit).await?),
        }
    }

    /// One product.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    #[rustok_telemetry::instrument(name = "catalogue.get", tenant_id = tenant.id)]
    pub async fn get(&self, tenant: &Tenant, id: &str) -> Result<Product, Error> {
        self.db
            .product(&tenant.id, id)
            .await?
            .ok_or_else(|| no_product(id))
    }

    /// Adds a product.
    ///
    /// # Errors
    /// When its values aren't right, its SKU is taken, or the database fails.
    #[rustok_telemetry::instrument(name = "catalogue.create", tenant_id = tenant.id)]
    pub async fn create(&self, tenant: &Tenant, new: NewProduct) -> Result<Product, Error> {
        let mut problems = check(&new.name, new.price_cents);
        if !is_sku(&new.sku) {
            problems.push("sku: 1 to 64 letters, digits, `-`, `_` or `.`".to_owned());
        }
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        let now = now_ms();
        let product = Product {
            id: Uuid::new_v4().to_string(),
            tenant_id: tenant.id.clone(),
            sku: new.sku,
            name: new.name,
            description: new.description,
            price_cents: new.price_cents,
            created_at: now,
            updated_at: now,
        };
        match self.db.insert_product(&product).await {
            Ok(()) => {}
            Err(error) if error.is_unique_violation() => return Err(Error::SkuTaken(product.sku)),
            Err(error) => return Err(error.into()),
        }
        self.bus
            .publish(&tenant.id, Payload::ProductCreated(product.clone()));
        Ok(product)
    }

    /// Changes a product.
    ///
    /// # Errors
    /// When the values aren't right, there is no such product, or the database fails.
    #[rustok_telemetry::instrument(name = "catalogue.update", tenant_id = tenant.id)]
    pub async fn update(
        &self,
        tenant: &Tenant,
        id: &str,
        changes: Changes,
    ) -> Result<Product, Error> {
        let problems = check(&changes.name, changes.price_cents);
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        let updated = self.db.update_product(&tenant.id, id, &changes).await?;
        let product = updated.ok_or_else(|| no_product(id))?;
        self.bus
            .publish(&tenant.id, Payload::ProductUpdated(product.clone()));
        Ok(product)
    }

    /// Deletes a product.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    #[rustok_telemetry::instrument(name = "catalogue.delete", tenant_id = tenant.id)]
    pub async fn delete(&self, tenant: &Tenant, id: &str) -> Result<(), Error> {
        if !self.db.delete_product(&tenant.id, id).await? {
            return Err(no_product(id));
        }
        self.bus
            .publish(&tenant.id, Payload::ProductDeleted { id: id.to_owned() });
        Ok(())
    }

    /// How many of a product can be had, by the inventory.
    ///
    /// # Errors
    /// When there is no such product, or the database or the inventory fails.
    #[rustok_telemetry::instrument(name = "catalogue.availability", tenant_id = tenant.id)]
    pub async fn availability(&self, tenant: &Tenant, id: &str) -> Result<Availability, Error> {
        let product = self.get(tenant, id).await?;
        let available = self.inventory.available(&product).await?;
        Ok(Availability {
            product_id: product.id,
            sku: product.sku,
            available,
        })
    }
}

pub(crate) fn no_product(id: &str) -> Error {
    Error::NotFound {
        what: "product",
        id: id.to_owned(),
    }
}

fn check(name: &str, price_cents: i64) -> Vec<String> {
    let mut problems = Vec::new();
    if name.trim().is_empty() || name.chars().count() > 200 {
        problems.push("name: 1 to 200 characters".to_owned());
    }
    if price_cents < 0 {
        problems.push("price_cents: 0 or more".to_owned());
    }
    problems
}

fn is_sku(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=64).contains(&text.len()) && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_a_path_segment() {
        assert!(is_sku("TEA-01_a.2"));
        for wrong in ["", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert!(!is_sku(wrong), "{wrong}");
        }
    }

    #[test]
    fn all_invalid_values_are_named() {
        assert_eq!(check(" ", -1).len(), 2);
        assert_eq!(check("Tea", 0), Vec::<String>::new());
    }
}
