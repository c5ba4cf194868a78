//! The tenant of a request, from its header `x-tenant-id`.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use tracing::Span;

use crate::errors::Error;
use crate::state::AppState;
use crate::tenants::Tenant;

/// A tenant that exists. A handler that takes one is only called for such a tenant.
#[derive(Debug, Clone)]
pub(super) struct CurrentTenant(pub(super) Arc<Tenant>);

impl FromRequestParts<AppState> for CurrentTenant {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let header = parts
            .headers
            .get("x-tenant-id")
            .ok_or(Error::TenantMissing)?;
        let id = header.to_str().map(str::trim).unwrap_or_default();
        if id.is_empty() {
            return Err(Error::TenantMissing);
        }
        let tenant = state.tenants.find(id).await?;
        // The request's span, and with it all spans below, belong to this tenant.
        Span::current().record("tenant_id", tenant.id.as_str());
        Ok(Self(tenant))
    }
}
