//! The mix: what clients of a shop do, mistakes included.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::shop::{Known, Shop, TENANTS};

/// What can be done, and how often in a hundred.
const MIX: [(Action, u32); 21] = [
    (Action::List, 10),
    (Action::Export, 1),
    (Action::Search, 8),
    (Action::Get, 17),
    (Action::Availability, 13),
    (Action::Order, 13),
    (Action::Create, 8),
    (Action::Update, 5),
    (Action::Delete, 4),
    (Action::GraphqlQuery, 5),
    (Action::GraphqlCreate, 2),
    (Action::Rename, 2),
    (Action::Report, 2),
    (Action::ImpatientReport, 1),
    (Action::DuplicateSku, 2),
    (Action::UnindexableName, 2),
    (Action::UnknownProduct, 1),
    (Action::UnknownTenant, 1),
    (Action::NoTenant, 1),
    (Action::WrongValues, 1),
    (Action::BrokenJson, 1),
];

const WORDS: [&str; 12] = [
    "green", "black", "small", "large", "tea", "coffee", "cup", "kettle", "spoon", "honey",
    "ginger", "lemon",
];

#[derive(Debug, Clone, Copy)]
enum Action {
    List,
    Export,
    Search,
    Get,
    Availability,
    Order,
    Create,
    Update,
    Delete,
    GraphqlQuery,
    GraphqlCreate,
    Rename,
    Report,
    ImpatientReport,
    DuplicateSku,
    UnindexableName,
    UnknownProduct,
    UnknownTenant,
    NoTenant,
    WrongValues,
    BrokenJson,
}

/// Products that the driver begins with.
const FIRST_PRODUCTS: usize = 10;

/// Does the driver's request with this number: first some products, then everything once, so
/// that nothing is left to chance, then the mix.
pub(super) async fn run(shop: &Shop, number: usize) {
    let action = match number.checked_sub(FIRST_PRODUCTS) {
        None => Action::Create,
        Some(number) => MIX.get(number).map_or_else(pick, |(action, _)| *action),
    };
    let Some(product) = shop.any() else {
        return create(shop, &name()).await;
    };
    let tenant = tenant();
    let path = format!("/api/products/{}", product.id);
    let of_product = |method, path: &str| shop.request(method, path).header(HEADER, product.tenant);
    let of_tenant = |method, path: &str| shop.request(method, path).header(HEADER, tenant);
    let request = match action {
        Action::Create if shop.is_full() => return delete(shop).await,
        Action::Create => return create(shop, &name()).await,
        Action::Delete => return delete(shop).await,
        Action::UnindexableName => return create(shop, "*** !!! ***").await,
        Action::GraphqlCreate => return graphql_create(shop).await,
        Action::List => of_tenant(Method::GET, "/api/products?limit=20"),
        Action::Export => of_tenant(Method::GET, "/api/products/export"),
        Action::Search => of_tenant(Method::GET, &format!("/api/products?search={}", word())),
        Action::Get => of_product(Method::GET, &path),
        Action::Availability => of_product(Method::GET, &format!("{path}/availability")),
        Action::Order => of_product(Method::POST, "/api/orders")
            .json(&json!({ "product_id": product.id, "quantity": fastrand::i64(1..=4) })),
        Action::Update => {
            of_product(Method::PUT, &path).json(&json!({ "name": name(), "price_cents": price() }))
        }
        Action::GraphqlQuery => of_tenant(Method::POST, "/graphql")
            .json(&json!({ "query": "{ products(limit: 5) { id name priceCents } }" })),
        Action::Rename => of_tenant(Method::PUT, "/api/tenant")
            .json(&json!({ "name": format!("{tenant} {}", fastrand::u16(..)) })),
        Action::Report => {
            let hours = [1, 6, 24][fastrand::usize(..3)];
            of_tenant(Method::GET, &format!("/api/reports/busiest?hours={hours}"))
        }
        // The report takes longer than this client waits.
        Action::ImpatientReport => of_tenant(Method::GET, "/api/reports/busiest?hours=24")
            .timeout(Duration::from_millis(15)),
        Action::DuplicateSku => of_product(Method::POST, "/api/products")
            .json(&json!({ "sku": product.sku, "name": name(), "price_cents": price() })),
        Action::UnknownProduct => of_tenant(Method::GET, "/api/products/nothing"),
        Action::UnknownTenant => shop
            .request(Method::GET, "/api/products")
            .header(HEADER, "nobody"),
        Action::NoTenant => shop.request(Method::GET, "/api/products"),
        Action::WrongValues => of_tenant(Method::POST, "/api/products")
            .json(&json!({ "sku": "no spaces, please", "name": "", "price_cents": -1 })),
        Action::BrokenJson => of_tenant(Method::POST, "/api/products")
            .header("content-type", "application/json")
            .body("{ \"sku\": "),
    };
    shop.send(request).await;
}

const HEADER: &str = "x-tenant-id";

async fn create(shop: &Shop, name: &str) {
    let (tenant, sku) = (tenant(), sku());
    let request = shop
        .request(Method::POST, "/api/products")
        .header(HEADER, tenant)
        .json(&json!({
            "sku": sku, "name": name, "description": "", "price_cents": price(),
        }));
    if let Some(product) = shop.send(request).await
        && let Some(id) = product["id"].as_str()
    {
        shop.remember(Known {
            tenant,
            id: id.to_owned(),
            sku,
        });
    }
}

async fn graphql_create(shop: &Shop) {
    let (tenant, sku) = (tenant(), sku());
    let request = shop
        .request(Method::POST, "/graphql")
        .header(HEADER, tenant)
        .json(&json!({
            "query": "mutation Add($input: NewProduct!) { createProduct(input: $input) { id } }",
            "variables": { "input": { "sku": sku, "name": name(), "priceCents": price() } },
        }));
    if let Some(answer) = shop.send(request).await
        && let Some(id) = answer["data"]["createProduct"]["id"].as_str()
    {
        shop.remember(Known {
            tenant,
            id: id.to_owned(),
            sku,
        });
    }
}

async fn delete(shop: &Shop) {
    if let Some(product) = shop.take() {
        let path = format!("/api/products/{}", product.id);
        shop.send(
            shop.request(Method::DELETE, &path)
                .header(HEADER, product.tenant),
        )
        .await;
    }
}

fn pick() -> Action {
    let all: u32 = MIX.iter().map(|(_, share)| share).sum();
    let mut rest = fastrand::u32(..all);
    for (action, share) in MIX {
        if rest < share {
            return action;
        }
        rest -= share;
    }
    Action::List
}

/// The first tenant is the busiest, the last one the quietest.
fn tenant() -> &'static str {
    let last = TENANTS.len() - 1;
    TENANTS[fastrand::usize(..=last).min(fastrand::usize(..=last))]
}

fn word() -> &'static str {
    WORDS[fastrand::usize(..WORDS.len())]
}

fn name() -> String {
    format!("{} {}", word(), word())
}

/// A new one each time, in each run.
fn sku() -> String {
    format!("SKU-{:012X}", fastrand::u64(..1 << 48))
}

fn price() -> i64 {
    fastrand::i64(100..10_000)
}
