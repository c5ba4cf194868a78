//! The catalogue's side of the inventory: HTTP calls through the circuit breaker.

use std::borrow::Cow;
use std::time::Duration;

use reqwest::{Method, Request, Response, StatusCode};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use rustok_telemetry::http::client::{TelemetryMiddleware, UrlTemplate};
use serde::de::DeserializeOwned;
use tower::ServiceExt;
use tower_resilience_circuitbreaker::CircuitBreakerError;
use url::Url;

use super::breaker::{Protected, protect};
use super::server::{Level, Reservation};
use crate::errors::{Error, Exit, Fatal};
use crate::faults::{Fault, Faults, NOWHERE};
use crate::products::Product;

/// How long a call may take. A slow inventory is a broken one.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What is asked for, as the spans name it: the paths themselves are as many as there are products.
const STOCK: UrlTemplate = UrlTemplate(Cow::Borrowed("/stock/{tenant}/{sku}"));
const RESERVATIONS: UrlTemplate = UrlTemplate(Cow::Borrowed("/stock/{tenant}/{sku}/reservations"));

/// Asks the inventory. Clones share connections and circuit breaker.
#[derive(Debug, Clone)]
pub struct InventoryClient {
    base: Url,
    nowhere: Url,
    faults: Faults,
    protected: Protected,
}

/// Why the inventory couldn't be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InventoryError {
    /// The circuit is open: it wasn't even tried.
    #[error("the circuit is open, try again in a few seconds")]
    Rejected,
    /// The call failed.
    #[error(transparent)]
    Failed(#[from] CallError),
    /// The answer isn't what it should be.
    #[error("its answer can't be read: {0}")]
    Unreadable(String),
}

impl InventoryError {
    /// A short, stable name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Rejected => "circuit_open",
            Self::Failed(error) => error.kind(),
            Self::Unreadable(_) => "inventory_unreadable",
        }
    }
}

/// Why a call failed. These count against the circuit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Nobody answered in time.
    #[error("it didn't answer in time")]
    Timeout,
    /// It couldn't be reached.
    #[error("it can't be reached")]
    Unreachable,
    /// It answered with a 5xx status.
    #[error("it answered with status {0}")]
    Status(u16),
}

impl CallError {
    fn kind(&self) -> &'static str {
        match self {
            Self::Timeout => "inventory_timeout",
            Self::Unreachable => "inventory_unreachable",
            Self::Status(_) => "inventory_status",
        }
    }
}

impl InventoryClient {
    /// A client of the inventory at `base`, which can't reach it while [`Fault::OpenBreaker`] is on.
    ///
    /// # Errors
    /// When the HTTP client or the circuit breaker can't be set up.
    pub fn new(base: Url, faults: Faults) -> Result<Self, Fatal> {
        let nowhere = Url::parse(NOWHERE).map_err(|error| Fatal::new(Exit::Software, error))?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| Fatal::new(Exit::Software, format!("the HTTP client: {error}")))?;
        // Nobody but us asks the inventory, which therefore believes what it is told of the tenant.
        let client = ClientBuilder::new(client)
            .with(TelemetryMiddleware::new().send_tenant())
            .build();
        let protected = protect(client)
            .map_err(|error| Fatal::new(Exit::Software, format!("the circuit breaker: {error}")))?;
        Ok(Self {
            base,
            nowhere,
            faults,
            protected,
        })
    }

    /// How many of a product there are.
    ///
    /// # Errors
    /// When the inventory can't be asked.
    pub async fn available(&self, product: &Product) -> Result<i64, Error> {
        let request = Request::new(Method::GET, self.stock_url(product, None));
        let level: Level = read(self.call(request, STOCK).await?).await?;
        Ok(level.available)
    }

    /// Takes some of a product.
    ///
    /// # Errors
    /// When there aren't enough, or the inventory can't be asked.
    pub async fn reserve(&self, product: &Product, quantity: i64) -> Result<(), Error> {
        let mut request = Request::new(Method::POST, self.stock_url(product, Some("reservations")));
        let body = serde_json::to_vec(&Reservation { quantity })
            .map_err(|error| Error::Inventory(InventoryError::Unreadable(error.to_string())))?;
        let json = http::HeaderValue::from_static("application/json");
        request
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, json);
        *request.body_mut() = Some(body.into());
        let response = self.call(request, RESERVATIONS).await?;
        let enough = response.status() != StatusCode::CONFLICT;
        let level: Level = read(response).await?;
        if enough {
            Ok(())
        } else {
            Err(Error::OutOfStock {
                wanted: quantity,
                available: level.available,
            })
        }
    }

    async fn call(&self, request: Request, template: UrlTemplate) -> Result<Response, Error> {
        let answer = self.protected.clone().oneshot((request, template)).await;
        answer.map_err(|error| {
            Error::Inventory(match error {
                CircuitBreakerError::OpenCircuit => InventoryError::Rejected,
                CircuitBreakerError::Inner(error) => error.into(),
            })
        })
    }

    /// `/stock/{tenant}/{sku}`, and what follows it.
    fn stock_url(&self, product: &Product, rest: Option<&str>) -> Url {
        let mut url = if self.faults.is_on(Fault::OpenBreaker) {
            self.nowhere.clone()
        } else {
            self.base.clone()
        };
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(["stock", &product.tenant_id, &product.sku])
                .extend(rest);
        }
        url
    }
}

/// Sends a request that the circuit breaker let through. The client makes its span, and the
/// inventory's spans become children of that.
pub(super) async fn send(
    client: ClientWithMiddleware,
    request: Request,
    template: UrlTemplate,
) -> Result<Response, CallError> {
    let mut extensions = http::Extensions::new();
    extensions.insert(template);
    let answer = client.execute_with_extensions(request, &mut extensions);
    let response = answer.await.map_err(|error| {
        if error.is_timeout() {
            CallError::Timeout
        } else {
            CallError::Unreachable
        }
    })?;
    if response.status().is_server_error() {
        return Err(CallError::Status(response.status().as_u16()));
    }
    Ok(response)
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Error> {
    let status = response.status();
    if !status.is_success() && status != StatusCode::CONFLICT {
        let answer = format!("status {}", status.as_u16());
        return Err(Error::Inventory(InventoryError::Unreadable(answer)));
    }
    let answer = response.json().await;
    answer.map_err(|error| Error::Inventory(InventoryError::Unreadable(error.to_string())))
}
