//! Tenants, and the cache in front of their table.
//!
//! Every request names its tenant, so this is the hottest read of the service. The cache
//! records what it does: hits and misses, how long each operation takes, its size, and why
//! entries leave it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::future::Cache;
use moka::notification::RemovalCause;
use rustok_telemetry::metrics;
use serde::Serialize;
use tracing::Span;
use tracing::field::Empty;

use crate::db::Database;
use crate::errors::Error;

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
    cache: Cache<String, Arc<Tenant>>,
}

impl Tenants {
    /// Tenants in `db`, of which `capacity` are cached, each for the time `ttl`.
    #[must_use]
    pub fn new(db: Database, capacity: u64, ttl: Duration) -> Self {
        let cache = Cache::builder()
            .name(CACHE)
            .max_capacity(capacity)
            .time_to_live(ttl)
            .eviction_listener(|_, _, cause| metrics::record_cache_eviction(CACHE, reason(cause)))
            .build();
        metrics::update_cache_size(CACHE, 0);
        Self { db, cache }
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
        let started = Instant::now();
        self.cache.invalidate(&tenant.id).await;
        metrics::record_cache_duration(CACHE, "invalidate", started.elapsed().as_secs_f64());
        metrics::record_cache_operation(CACHE, "invalidate", "ok");
        Ok(Tenant {
            name: name.to_owned(),
            ..tenant.clone()
        })
    }

    /// Lets the cache drop what is too old or too much, and reports its size. The cache does
    /// the former on its own only when it is used.
    pub async fn maintain(&self) {
        self.cache.run_pending_tasks().await;
        let size = i64::try_from(self.cache.entry_count()).unwrap_or(i64::MAX);
        metrics::update_cache_size(CACHE, size);
    }

    async fn find_cached(&self, id: &str) -> Result<Arc<Tenant>, Error> {
        let started = Instant::now();
        let cached = self.cache.get(id).await;
        metrics::record_cache_duration(CACHE, "get", started.elapsed().as_secs_f64());
        metrics::record_cache_operation(
            CACHE,
            "get",
            if cached.is_some() { "hit" } else { "miss" },
        );
        match cached {
            Some(tenant) => Ok(tenant),
            None => self.load(id).await,
        }
    }

    /// Reads a tenant into the cache. Requests that miss together share one query.
    async fn load(&self, id: &str) -> Result<Arc<Tenant>, Error> {
        let started = Instant::now();
        let loaded = self
            .cache
            .try_get_with_by_ref(id, async {
                let tenant = self.db.tenant(id).await?;
                tenant
                    .map(Arc::new)
                    .ok_or_else(|| Error::TenantUnknown(id.to_owned()))
            })
            .await;
        metrics::record_cache_duration(CACHE, "load", started.elapsed().as_secs_f64());
        let result = match loaded.as_ref().map_err(Arc::as_ref) {
            Ok(_) => "ok",
            Err(Error::TenantUnknown(_)) => "not_found",
            Err(_) => "error",
        };
        metrics::record_cache_operation(CACHE, "load", result);
        loaded.map_err(|error| Error::clone(&error))
    }
}

fn reason(cause: RemovalCause) -> &'static str {
    match cause {
        RemovalCause::Expired => "ttl",
        RemovalCause::Size => "size",
        RemovalCause::Explicit => "explicit",
        RemovalCause::Replaced => "replaced",
    }
}
