//! The catalogue's side of the inventory: calls over HTTP or gRPC, through the circuit breaker.

mod grpc;
mod http;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tower::ServiceExt;
use tower_resilience_circuitbreaker::CircuitBreakerError;
use url::Url;

use self::grpc::GrpcBackend;
use self::http::HttpBackend;
use super::breaker::{Protected, protect};
use crate::config::Protocol;
use crate::errors::{Error, Exit, Fatal};
use crate::faults::{Fault, Faults};
use crate::products::Product;

/// How long a call may take. A slow inventory is a broken one.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Asks the inventory. Clones share connections and circuit breaker.
#[derive(Debug, Clone)]
pub struct InventoryClient {
    faults: Faults,
    protected: Protected,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    tenant: String,
    sku: String,
    /// How many to take, if any.
    quantity: Option<i64>,
    /// Whether the right address is asked.
    is_reachable: bool,
}

/// What is answered.
#[derive(Debug)]
pub(super) struct Answer {
    available: i64,
    /// Whether there were as many as should be taken.
    is_enough: bool,
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
}

impl InventoryError {
    /// A short, stable name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Rejected => "circuit_open",
            Self::Failed(error) => error.kind(),
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
    /// It answered with a gRPC status that isn't `OK`.
    #[error("it answered: {0}")]
    Code(tonic::Code),
    /// The answer isn't what it should be.
    #[error("its answer can't be read: {0}")]
    Unreadable(String),
}

impl CallError {
    fn kind(&self) -> &'static str {
        match self {
            Self::Timeout => "inventory_timeout",
            Self::Unreachable => "inventory_unreachable",
            Self::Status(_) | Self::Code(_) => "inventory_status",
            Self::Unreadable(_) => "inventory_unreadable",
        }
    }
}

impl InventoryClient {
    /// A client of the inventory at `base`, which can't reach it while [`Fault::OpenBreaker`] is on.
    ///
    /// # Errors
    /// When the clients or the circuit breaker can't be set up.
    pub fn new(base: Url, protocol: Protocol, faults: Faults) -> Result<Self, Fatal> {
        let backend = Backend {
            grpc: GrpcBackend::new(&base)?,
            http: HttpBackend::new(base)?,
            protocol,
            calls: Arc::default(),
        };
        let protected = protect(backend)
            .map_err(|error| Fatal::new(Exit::Software, format!("the circuit breaker: {error}")))?;
        Ok(Self { faults, protected })
    }

    /// How many of a product there are.
    ///
    /// # Errors
    /// When the inventory can't be asked.
    pub async fn available(&self, product: &Product) -> Result<i64, Error> {
        Ok(self.call(product, None).await?.available)
    }

    /// Takes some of a product.
    ///
    /// # Errors
    /// When there aren't enough, or the inventory can't be asked.
    pub async fn reserve(&self, product: &Product, quantity: i64) -> Result<(), Error> {
        let Answer {
            available,
            is_enough,
        } = self.call(product, Some(quantity)).await?;
        match is_enough {
            true => Ok(()),
            false => Err(Error::OutOfStock {
                wanted: quantity,
                available,
            }),
        }
    }

    async fn call(&self, product: &Product, quantity: Option<i64>) -> Result<Answer, Error> {
        let ask = Ask {
            tenant: product.tenant_id.clone(),
            sku: product.sku.clone(),
            quantity,
            is_reachable: !self.faults.is_on(Fault::OpenBreaker),
        };
        let answer = self.protected.clone().oneshot(ask).await;
        answer.map_err(|error| {
            Error::Inventory(match error {
                CircuitBreakerError::OpenCircuit => InventoryError::Rejected,
                CircuitBreakerError::Inner(error) => error.into(),
            })
        })
    }
}

/// The clients behind the circuit breaker.
#[derive(Debug, Clone)]
pub(super) struct Backend {
    http: HttpBackend,
    grpc: GrpcBackend,
    protocol: Protocol,
    calls: Arc<AtomicUsize>,
}

impl Backend {
    /// Makes a call that the circuit breaker let through.
    pub(super) async fn ask(self, ask: Ask) -> Result<Answer, CallError> {
        let by_grpc = match self.protocol {
            Protocol::Http => false,
            Protocol::Grpc => true,
            Protocol::Both => self.calls.fetch_add(1, Ordering::Relaxed) % 2 == 1,
        };
        match by_grpc {
            true => self.grpc.ask(ask).await,
            false => self.http.ask(ask).await,
        }
    }
}
