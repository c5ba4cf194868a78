//! What makes the service record every metric once, and then be quiet, so that values can be compared.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::server::{Server, TENANT, agent};

/// The inventory cannot be reached, and hardly a tenant is remembered.
pub(crate) const ARGUMENTS: [&str; 4] = [
    "--inventory-url",
    "http://127.0.0.1:9",
    "--tenant-cache-capacity",
    "1",
];

/// Failures in a row that open the circuit, and one that is turned away.
const OPENS_THE_CIRCUIT: usize = 6;

/// Sends the requests, one after the other.
pub(crate) fn one_of_each(server: &Server) {
    let send = |method: &str, path: &str, json: Option<&str>, expected: u16| -> Value {
        let (status, body) = server.request(method, path, json, &[]);
        assert_eq!(status, expected, "{method} {path}: {body}");
        serde_json::from_str(&body).unwrap_or_default()
    };
    let lamp = r#"{"name": "Desk lamp", "sku": "lamp-1", "price_cents": 4200}"#;
    let product = send("POST", "/api/products", Some(lamp), 201);
    let id = product["id"].as_str().expect("an id");
    let path = format!("/api/products/{id}");
    // A table that takes no second one, an event that no handler can handle.
    send("POST", "/api/products", Some(lamp), 409);
    let nameless = r#"{"name": "***", "sku": "lamp-2", "price_cents": 1}"#;
    send("POST", "/api/products", Some(nameless), 201);
    send("POST", "/api/products", Some("{"), 400);
    send("GET", "/api/products?search=lamp", None, 200);
    send("GET", "/api/products/export", None, 200);
    send("GET", "/api/products/nothing", None, 404);
    send(
        "PUT",
        &path,
        Some(r#"{"name": "Lamp", "price_cents": 4100}"#),
        200,
    );
    send(
        "POST",
        "/graphql",
        Some(r#"{"query": "{ products { id } }"}"#),
        200,
    );
    for _ in 0..OPENS_THE_CIRCUIT {
        let (status, body) = server.request("GET", &format!("{path}/availability"), None, &[]);
        assert!(status >= 500, "{status}: {body}");
    }
    send("PUT", "/api/tenant", Some(r#"{"name": "Acme again"}"#), 200);
    for tenant in ["globex", "hooli", "initech", "umbrella"] {
        let request = agent().get(format!("{}/api/products", server.url));
        let answer = request.header("x-tenant-id", tenant).call();
        assert_eq!(answer.expect("an answer").status(), 200, "{tenant}");
    }
    send("DELETE", &path, None, 204);
    // Some are too late to be seen.
    for _ in 0..5 {
        hang_up(server);
    }
}

/// A caller who does not wait for the answer, so that the request is cancelled.
fn hang_up(server: &Server) {
    let address = server.url.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).expect("it listens");
    write!(
        connection,
        "GET /api/reports/busiest?hours=24 HTTP/1.1\r\nhost: {address}\r\nx-tenant-id: {TENANT}\r\n\r\n"
    )
    .expect("it reads");
    std::thread::sleep(Duration::from_millis(15));
}
