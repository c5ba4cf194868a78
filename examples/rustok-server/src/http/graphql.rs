//! The GraphQL interface: the same catalogue, asked another way.

use std::sync::Arc;

use async_graphql::{
    Context, EmptySubscription, ErrorExtensions, Object, Result, Schema, SchemaBuilder,
};
use async_graphql_axum::{GraphQLRequest, GraphQLResponse};
use axum::Router;
use axum::extract::Extension;
use axum::routing::post;

use super::tenant::CurrentTenant;
use crate::errors::{Error, report};
use crate::products::{Catalogue, NewProduct, Product};
use crate::state::AppState;
use crate::tenants::Tenant;

/// How deep a query may be.
const MAX_DEPTH: usize = 8;
/// How many fields it may ask for.
const MAX_FIELDS: usize = 200;

type CatalogueSchema = Schema<Query, Mutation, EmptySubscription>;

pub(super) fn routes(state: &AppState) -> Router<AppState> {
    let schema = SchemaBuilder::finish(
        Schema::build(Query, Mutation, EmptySubscription)
            .data(state.catalogue.clone())
            .limit_depth(MAX_DEPTH)
            .limit_complexity(MAX_FIELDS),
    );
    Router::new()
        .route("/graphql", post(execute))
        .layer(Extension(schema))
}

#[rustok_telemetry::instrument(name = "graphql.execute", tenant_id = tenant.id)]
async fn execute(
    Extension(schema): Extension<CatalogueSchema>,
    CurrentTenant(tenant): CurrentTenant,
    request: GraphQLRequest,
) -> GraphQLResponse {
    schema
        .execute(request.into_inner().data(tenant))
        .await
        .into()
}

/// What can be asked.
#[derive(Debug)]
struct Query;

#[Object]
impl Query {
    /// The newest products, or those with a word in their text.
    async fn products(
        &self,
        context: &Context<'_>,
        search: Option<String>,
        limit: Option<i64>,
    ) -> Result<Vec<Product>> {
        let (catalogue, tenant) = parts(context)?;
        catalogue
            .list(tenant, search.as_deref(), limit)
            .await
            .map_err(failed)
    }

    /// One product; null if there is none.
    async fn product(&self, context: &Context<'_>, id: String) -> Result<Option<Product>> {
        let (catalogue, tenant) = parts(context)?;
        match catalogue.get(tenant, &id).await {
            Ok(product) => Ok(Some(product)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}

/// What can be changed.
#[derive(Debug)]
struct Mutation;

#[Object]
impl Mutation {
    /// Adds a product.
    async fn create_product(&self, context: &Context<'_>, input: NewProduct) -> Result<Product> {
        let (catalogue, tenant) = parts(context)?;
        catalogue.create(tenant, input).await.map_err(failed)
    }
}

fn parts<'a>(context: &Context<'a>) -> Result<(&'a Catalogue, &'a Arc<Tenant>)> {
    Ok((context.data::<Catalogue>()?, context.data::<Arc<Tenant>>()?))
}

fn failed(error: Error) -> async_graphql::Error {
    report(&error);
    async_graphql::Error::new(error.to_string())
        .extend_with(|_, extensions| extensions.set("code", error.kind()))
}
