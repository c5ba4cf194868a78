//! Requests at a steady pace, whatever becomes of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use serde_json::Value;

use crate::server::{Server, TENANT, agent};

/// Who send requests at a time.
const CLIENTS: usize = 6;
/// Between two requests of a client.
const PAUSE: Duration = Duration::from_millis(100);

/// Clients that send requests until they are stopped, or the test fails.
pub(super) struct Traffic {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// Adds a product, which the requests are about.
    pub(super) fn start(server: &Server) -> Self {
        let tea = r#"{ "sku": "TEA", "name": "Tea", "price_cents": 1 }"#;
        let (status, answer) = server.request("POST", "/api/products", Some(tea), &[]);
        assert_eq!(status, 201, "{answer}");
        let product: Value = serde_json::from_str(&answer).expect("JSON");
        let list = format!("{}/api/products", server.url);
        let product = format!("{list}/{}", product["id"].as_str().expect("an id"));
        let stop = Arc::new(AtomicBool::new(false));
        let clients = (0..CLIENTS)
            .map(|_| {
                let (list, product, stop) = (list.clone(), product.clone(), Arc::clone(&stop));
                spawn(move || {
                    let agent = agent();
                    for number in 0_u64.. {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        send(&agent, number, &list, &product);
                        sleep(PAUSE);
                    }
                })
            })
            .collect();
        Self { stop, clients }
    }

    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().expect("no panic");
        }
    }
}

/// Of ten requests two ask the inventory, and one publishes an event.
fn send(agent: &ureq::Agent, number: u64, list: &str, product: &str) {
    let answer = match number % 10 {
        0 | 5 => get(agent, &format!("{product}/availability")),
        2 => agent
            .put(product)
            .header("x-tenant-id", TENANT)
            .header("content-type", "application/json")
            .send(r#"{ "name": "Green tea", "price_cents": 2 }"#),
        3 | 6 | 9 => get(agent, list),
        _ => get(agent, product),
    };
    // Faults are what this is for, and a connection is used again only after its answer was read.
    if let Ok(mut answer) = answer {
        let _ = answer.body_mut().read_to_vec();
    }
}

fn get(agent: &ureq::Agent, url: &str) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
    agent.get(url).header("x-tenant-id", TENANT).call()
}
