//! Tenants, and the cache in front of their table.
//!
//! Every request names its tenant, so this is the hottest read of the service. The cache
//! records what it does: hits and misses, how long each operation takes, its size, and why
//! entries leave it.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use rustok_telemetry::cache::Metered;
use serde::Serialize;
use tracing::Span;
use tracing::field::Empty;

use crate::db::Database;
use crate::errors::Error;
use crate::faults::{Fault, Faults};

/// The name of the cache in the metrics.
const CACHE: &str = "tenant_cache";

/// A customer of the catalogue.
#[derive(Debug, Clone, Serialize)]
pub struct Tenant {
    /// What the header `x-tenant-id` says.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What the tenant pays for.
    pub plan: String,
}

/// All tenants. Clones share the cache.
#[derive(Debug, Clone)]
pub struct Tenants {
    db: Database,
    cache: Metered<String, Arc<Tenant>>,
    faults: Faults,
}

impl Tenants {
    /// Tenants in `db`, of which `capacity` are cached, each for the time `ttl`.
    #[must_use]
    pub fn new(db: Database, capacity: u64, ttl: Duration, faults: Faults) -> Self {
        let cache = Cache::builder().max_capacity(capacity).time_to_live(ttl);
        let cache = Metered::build(CACHE, cache);
        Self { db, cache, faults }
    }

    /// The tenant with this id.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    #[rustok_telemetry::instrument(name = "tenants.find", tenant_id = Empty)]
    pub async fn find(&self, id: &str) -> Result<Arc<Tenant>, Error> {
        let tenant = self.find_cached(id).await?;
        // Recorded only now: what a request says becomes a label when it is known to be true.
        Span::current().record("tenant_id", tenant.id.as_str());
        Ok(tenant)
    }

    /// Renames a tenant; the cache forgets it, so that the next request sees the new name.
    ///
    /// # Errors
    /// When the database fails.
    #[rustok_telemetry::instrument(name = "tenants.rename", tenant_id = tenant.id)]
    pub async fn rename(&self, tenant: &Tenant, name: &str) -> Result<Tenant, Error> {
        self.db.rename_tenant(&tenant.id, name).await?;
        self.cache.invalidate(&tenant.id).await;
        Ok(Tenant {
            name: name.to_owned(),
            ..tenant.clone()
        })
    }

    /// Lets the cache drop what is too old or too much, so that its size is true. It does so on
    /// its own only when it is used.
    pub async fn maintain(&self) {
        self.cache.inner().run_pending_tasks().await;
    }

    /// Requests that miss together share one query.
    async fn find_cached(&self, id: &str) -> Result<Arc<Tenant>, Error> {
        let load = async {
            let tenant = self.db.tenant(id).await?;
            tenant
                .map(Arc::new)
                .ok_or_else(|| Error::TenantUnknown(id.to_owned()))
        };
        let result = |error: &Error| match error {
            Error::TenantUnknown(_) => "not_found",
            _ => "error",
        };
        if self.faults.is_on(Fault::ColdCache) {
            self.cache.inner().invalidate(id).await;
        }
        let found = self.cache.try_get_with_named(id, load, result).await;
        found.map_err(|error| Error::clone(&error))
    }
}
