//! The REST interface.

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, State};
use axum::response::IntoResponse;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use futures::stream;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::tenant::CurrentTenant;
use crate::errors::Error;
use crate::orders::{BusiestSecond, NewOrder, Order};
use crate::products::{Availability, Changes, NewProduct, Product};
use crate::state::AppState;
use crate::tenants::Tenant;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/products", get(list).post(create))
        .route("/api/products/export", get(export))
        .route("/api/products/{id}", get(find).put(update).delete(delete))
        .route("/api/products/{id}/availability", get(availability))
        .route("/api/orders", post(place_order))
        .route("/api/reports/busiest", get(busiest))
        .route("/api/tenant", put(rename_tenant).get(show_tenant))
}

#[derive(Debug, Deserialize)]
struct ListQuery {
    search: Option<String>,
    limit: Option<i64>,
}

async fn list(
    State(state): State<AppState>,
    CurrentTenant(tenant): CurrentTenant,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Json<Vec<Product>>, Error> {
    Ok(Json(
        state
            .catalogue
            .list(&tenant, query.search.as_deref(), query.limit)
            .await?,
    ))
}

/// The newest products, a line of JSON each, sent as they are written.
async fn export(
    State(state): State<AppState>,
    CurrentTenant(tenant): CurrentTenant,
) -> Result<impl IntoResponse, Error> {
    let products = state
        .catalogue
        .list(&tenant, None, Some(i64::MAX))
        .await?
        .into_iter();
    let lines = products.map(|product| serde_json::to_string(&product).map(|line| line + "\n"));
    Ok((
        [(header::CONTENT_TYPE, "application/x-ndjson")],
        axum::body::Body::from_stream(stream::iter(lines)),
    ))
}

async fn create(
    State(state): State<AppState>,
    CurrentTenant(tenant): CurrentTenant,
    Body(new): Body<NewProduct>,
) -> Result<impl IntoResponse, Error> {
    let product = state.catalogue.create(&tenant, new).await?;
    let location = HeaderValue::try_from(format!("/api/products/{}", product.id))
        .unwrap_or(HeaderValue::from_static("/api/products"));
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(product),
    ))
}

async fn find(
    State(state): State<AppState>,
    CurrentTenant(tenant): CurrentTenant,
    Path(id): Path<String>,
) -> Result<Json<Product>, Error> {
    Ok(Json(state.catalogue.get(&tenant, &id).await?))
}

async fn update(
    State(state): State<AppState>,
    CurrentTenant(tenant): CurrentTenant,
    Path(id): Path<String>,
    Body(changes): Body<Changes>,
) -> Result<Json<Product>, Error> {
    Ok(Json(state.catalogue.update(&tenant, &id, changes).await?))
}

async fn delete(
    State(state): State<AppState>,
    CurrentTenant(tenant): CurrentTenant,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    state.catalogue.delete(&tenant, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn availability(
    State(state): State<AppState>,
    CurrentTenant(tenant): CurrentTenant,
    Path(id): Path<String>,
) -> Result<Json<Availability>, Error> {
    Ok(Json(state.catalogue.availability(&tenant, &id).await?))
}

async fn place_order(
    State(state): State<AppState>,
    CurrentTenant(tenant): CurrentTenant,
    Body(new): Body<NewOrder>,
) -> Result<(StatusCode, Json<Order>), Error> {
    Ok((
        StatusCode::CREATED,
        Json(state.orders.place(&tenant, new).await?),
    ))
}

#[derive(Debug, Deserialize)]
struct ReportQuery {
    hours: Option<i64>,
}

async fn busiest(
    State(state): State<AppState>,
    CurrentTenant(tenant): CurrentTenant,
    Parameters(query): Parameters<ReportQuery>,
) -> Result<Json<BusiestSecond>, Error> {
    Ok(Json(
        state
            .orders
            .busiest(&tenant, query.hours.unwrap_or(1))
            .await?,
    ))
}

async fn show_tenant(CurrentTenant(tenant): CurrentTenant) -> Json<Tenant> {
    Json(tenant.as_ref().clone())
}

#[derive(Debug, Deserialize)]
struct Rename {
    name: String,
}

async fn rename_tenant(
    State(state): State<AppState>,
    CurrentTenant(tenant): CurrentTenant,
    Body(new): Body<Rename>,
) -> Result<Json<Tenant>, Error> {
    if new.name.trim().is_empty() {
        return Err(Error::Invalid(vec![
            "name: at least 1 character".to_owned(),
        ]));
    }
    Ok(Json(state.tenants.rename(&tenant, new.name.trim()).await?))
}

/// A JSON body; one that can't be read is answered like every other error.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(Error))]
struct Body<T>(T);

impl From<JsonRejection> for Error {
    fn from(rejection: JsonRejection) -> Self {
        Self::Unreadable(rejection.body_text())
    }
}

/// The query of an address; one that can't be read is answered like every other error.
#[derive(FromRequestParts)]
#[from_request(via(Query), rejection(Error))]
struct Parameters<T>(T);

impl From<QueryRejection> for Error {
    fn from(rejection: QueryRejection) -> Self {
        Self::Unreadable(rejection.body_text())
    }
}
