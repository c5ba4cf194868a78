//! What the driver knows of the service, and how it talks to it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use url::Url;

/// The tenants, the busiest first.
pub(super) const TENANTS: [&str; 5] = ["acme", "globex", "initech", "umbrella", "hooli"];
/// Products that the driver keeps; more are deleted.
const KEPT: usize = 120;

/// A product that the driver made.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) tenant: &'static str,
    pub(super) id: String,
    pub(super) sku: String,
}

/// The service as its clients see it.
#[derive(Debug)]
pub(super) struct Shop {
    client: reqwest::Client,
    service: String,
    inventory: Url,
    known: Mutex<Vec<Known>>,
    requests: AtomicU64,
    failed: AtomicU64,
}

impl Shop {
    pub(super) fn new(service: SocketAddr, inventory: Url) -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(12))
            .build();
        Self {
            client: client.unwrap_or_default(),
            service: format!("http://{}", reachable(service)),
            inventory,
            known: Mutex::default(),
            requests: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// A request to the service.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.service))
    }

    /// Sends it. The answer is a success's JSON; other answers are part of the traffic.
    pub(super) async fn send(&self, request: RequestBuilder) -> Option<Value> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_timeout() => {
                tracing::debug!(%error, "gave up waiting");
                return None;
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%error, "no answer");
                return None;
            }
        };
        let success = response.status().is_success();
        let body = response.bytes().await.ok()?;
        serde_json::from_slice(&body).ok().filter(|_| success)
    }

    /// Tells the inventory to answer nobody for a while.
    pub(super) async fn outage(&self, seconds: u64) {
        let Ok(url) = self.inventory.join("/admin/outage") else {
            return;
        };
        let told = self
            .client
            .post(url)
            .json(&json!({ "seconds": seconds }))
            .send()
            .await;
        if let Err(error) = told {
            tracing::debug!(%error, "the inventory can't be told to have an outage");
        }
    }

    /// Requests so far.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests without any answer.
    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Remembers a product.
    pub(super) fn remember(&self, product: Known) {
        self.products().push(product);
    }

    /// One of the products, if there are any.
    pub(super) fn any(&self) -> Option<Known> {
        fastrand::choice(self.products().iter()).cloned()
    }

    /// Takes out a product, so that nobody else works with it.
    pub(super) fn take(&self) -> Option<Known> {
        let mut known = self.products();
        (!known.is_empty()).then(|| {
            let index = fastrand::usize(..known.len());
            known.swap_remove(index)
        })
    }

    /// Whether there are enough products.
    pub(super) fn is_full(&self) -> bool {
        self.products().len() >= KEPT
    }

    fn products(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listening on all addresses includes the loopback one, and traffic goes nowhere else.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
