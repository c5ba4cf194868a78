//! The service as its callers see it.

mod common;

use std::time::Duration;

use common::Server;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

struct Caller<'a> {
    client: Client,
    server: &'a Server,
}

impl<'a> Caller<'a> {
    fn new(server: &'a Server) -> Self {
        Self {
            client: Client::new(),
            server,
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = self
            .client
            .request(method, format!("{}{path}", self.server.url));
        let request = request.header("x-tenant-id", "acme");
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let response = request.send().await.expect("the service answers");
        let status = response.status();
        let body = response.bytes().await.expect("the answer has a body");
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

#[tokio::test]
async fn products_and_orders_by_rest() {
    let server = Server::start(&[]);
    let caller = Caller::new(&server);
    let tea = json!({ "sku": "TEA", "name": "Green tea", "price_cents": 499 });

    let (status, product) = caller
        .call(Method::POST, "/api/products", Some(tea.clone()))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{product}");
    let path = format!("/api/products/{}", product["id"].as_str().expect("an id"));

    let (status, problem) = caller.call(Method::POST, "/api/products", Some(tea)).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("sku_taken"))
    );

    let changes = json!({ "name": "Black tea", "price_cents": 399 });
    let (status, changed) = caller.call(Method::PUT, &path, Some(changes)).await;
    assert_eq!(
        (status, &changed["name"]),
        (StatusCode::OK, &json!("Black tea"))
    );

    let order = json!({ "product_id": product["id"], "quantity": 3 });
    let (status, order) = caller.call(Method::POST, "/api/orders", Some(order)).await;
    assert_eq!(
        (status, &order["total_cents"]),
        (StatusCode::CREATED, &json!(1197))
    );

    let (_, left) = caller
        .call(Method::GET, &format!("{path}/availability"), None)
        .await;
    let left = left["available"].as_i64().expect("a number");
    assert!((22..25).contains(&left), "{left}");

    let too_many = json!({ "product_id": product["id"], "quantity": 500 });
    let (status, problem) = caller
        .call(Method::POST, "/api/orders", Some(too_many))
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("out_of_stock"))
    );

    let (status, busiest) = caller.call(Method::GET, "/api/reports/busiest", None).await;
    assert_eq!((status, &busiest["sold"]), (StatusCode::OK, &json!(3)));

    found_in_time(&caller, "black", 1).await;
    assert_eq!(
        caller.call(Method::DELETE, &path, None).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        caller.call(Method::GET, &path, None).await.0,
        StatusCode::NOT_FOUND
    );
    found_in_time(&caller, "black", 0).await;
}

/// The index follows by event, so it takes a moment.
async fn found_in_time(caller: &Caller<'_>, word: &str, wanted: usize) {
    let path = format!("/api/products?search={word}");
    for _ in 0..100 {
        let (_, found) = caller.call(Method::GET, &path, None).await;
        if found.as_array().map(Vec::len) == Some(wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a search for `{word}` doesn't find {wanted} products");
}

#[tokio::test]
async fn products_by_graphql() {
    let server = Server::start(&[]);
    let caller = Caller::new(&server);
    let add = json!({
        "query": "mutation($input: NewProduct!) { createProduct(input: $input) { id sku } }",
        "variables": { "input": { "sku": "CUP", "name": "Cup", "priceCents": 250 } },
    });
    let (status, answer) = caller
        .call(Method::POST, "/graphql", Some(add.clone()))
        .await;
    assert_eq!(
        (status, &answer["data"]["createProduct"]["sku"]),
        (StatusCode::OK, &json!("CUP"))
    );

    let id = &answer["data"]["createProduct"]["id"];
    let ask = json!({
        "query": "query($id: String!) { product(id: $id) { name } products { priceCents } }",
        "variables": { "id": id },
    });
    let (_, answer) = caller.call(Method::POST, "/graphql", Some(ask)).await;
    let wanted = json!({ "product": { "name": "Cup" }, "products": [{ "priceCents": 250 }] });
    assert_eq!(answer["data"], wanted);

    let (_, answer) = caller.call(Method::POST, "/graphql", Some(add)).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "sku_taken");
}

#[tokio::test]
async fn only_known_tenants_are_served() {
    let server = Server::start(&[]);
    let url = format!("{}/api/products", server.url);
    let client = Client::new();

    let answer = client.get(&url).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.expect("JSON");
    assert_eq!(problem["code"], "tenant_missing");

    let answer = client
        .get(&url)
        .header("x-tenant-id", "nobody")
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let problem: Value = answer.json().await.expect("JSON");
    assert_eq!(problem["code"], "tenant_unknown");
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let server = Server::start(&[]);
    let caller = Caller::new(&server);
    let tea = json!({ "sku": "TEA", "name": "Tea", "price_cents": 1 });
    let (_, product) = caller.call(Method::POST, "/api/products", Some(tea)).await;
    let id = product["id"].as_str().expect("an id");
    let url = format!("{}/api/products/{id}", server.url);
    let other = Client::new()
        .get(url)
        .header("x-tenant-id", "globex")
        .send()
        .await;
    assert_eq!(other.expect("an answer").status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_inventory_outage_opens_and_closes_the_breaker() {
    for protocol in ["http", "grpc"] {
        let server = Server::start(&["--inventory-protocol", protocol]);
        break_and_repair(&server).await;
    }
}

#[tokio::test]
async fn both_services_count_their_grpc_calls() {
    let server = Server::start(&["--inventory-protocol", "grpc"]);
    let caller = Caller::new(&server);
    let tea = json!({ "sku": "TEA", "name": "Tea", "price_cents": 1 });
    let (_, product) = caller.call(Method::POST, "/api/products", Some(tea)).await;
    for (quantity, status) in [(20, StatusCode::CREATED), (20, StatusCode::CONFLICT)] {
        let order = json!({ "product_id": product["id"], "quantity": quantity });
        let (code, body) = caller.call(Method::POST, "/api/orders", Some(order)).await;
        assert_eq!(code, status, "{body}");
    }
    for (url, side) in [(&server.url, "client"), (&server.inventory, "server")] {
        let metrics = format!("{url}/api/_health/metrics");
        let text = caller.client.get(metrics).send().await.expect("an answer");
        let text = text.text().await.expect("a text");
        let series = format!(
            "rustok_grpc_{side}_handled_total{{code=\"OK\",method=\"Reserve\",\
             service=\"inventory.v1.Inventory\"}} 2\n"
        );
        assert!(text.contains(&series), "{series} in {text}");
    }
}

async fn break_and_repair(server: &Server) {
    let caller = Caller::new(server);
    let tea = json!({ "sku": "TEA", "name": "Tea", "price_cents": 1 });
    let (_, product) = caller.call(Method::POST, "/api/products", Some(tea)).await;
    let path = format!(
        "/api/products/{}/availability",
        product["id"].as_str().expect("an id")
    );

    let outage = caller
        .client
        .post(format!("{}/admin/outage", server.inventory));
    let outage = outage
        .json(&json!({ "seconds": 1 }))
        .send()
        .await
        .expect("an answer");
    assert_eq!(outage.status(), StatusCode::ACCEPTED);
    for _ in 0..5 {
        let (status, problem) = caller.call(Method::GET, &path, None).await;
        let wanted = (StatusCode::BAD_GATEWAY, json!("inventory_status"));
        assert_eq!((status, problem["code"].clone()), wanted);
    }
    let (status, problem) = caller.call(Method::GET, &path, None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(problem["code"], "circuit_open");

    for _ in 0..100 {
        if caller.call(Method::GET, &path, None).await.0 == StatusCode::OK {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the circuit doesn't close");
}

#[tokio::test]
async fn health() {
    let server = Server::start(&[]);
    let caller = Caller::new(&server);
    for (path, status) in [
        ("/api/_health/live", "live"),
        ("/api/_health/ready", "ready"),
    ] {
        let (code, body) = caller.call(Method::GET, path, None).await;
        assert_eq!(code, StatusCode::OK, "{body}");
        assert_eq!(body["status"], status, "{body}");
    }
    let (code, body) = caller
        .call(Method::GET, "/api/_health/telemetry", None)
        .await;
    assert_eq!((code, &body["stage"]), (StatusCode::OK, &json!("running")));
    caller.call(Method::GET, "/api/products", None).await;
    let url = format!("{}/api/_health/metrics", server.url);
    let text = caller
        .client
        .get(url)
        .send()
        .await
        .expect("an answer")
        .text()
        .await;
    let text = text.expect("text");
    let wanted =
        "rustok_http_requests_total{method=\"GET\",path=\"/api/products\",status=\"200\"} 1";
    assert!(text.contains(wanted), "{text}");
}

#[tokio::test]
async fn the_console_shows_both_services() {
    let server = Server::start(&[]);
    let console = format!("{}/api/_health/console", server.url);
    assert_eq!(
        server.first_line,
        format!("rustok-server: console: {console}")
    );
    let client = Client::new();
    let get = |path: &str| client.get(format!("{console}{path}")).send();
    let page = get("").await.expect("the service answers");
    assert_eq!(page.status(), StatusCode::OK);
    for (path, service) in [
        ("/api/state", "rustok-server"),
        ("/peer/rustok-inventory/api/state", "rustok-inventory"),
    ] {
        let state = get(path).await.expect("the service answers");
        let state: Value = state.json().await.expect("JSON");
        assert_eq!(state["service"], service, "{path}");
    }
}

#[tokio::test]
async fn no_console_turns_off_both() {
    let server = Server::start(&["--no-console"]);
    for url in [&server.url, &server.inventory] {
        let page = reqwest::get(format!("{url}/api/_health/console")).await;
        let page = page.expect("the service answers");
        assert_eq!(page.status(), StatusCode::NOT_FOUND, "{url}");
    }
}
