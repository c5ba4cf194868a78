//! What is done about events.

use std::time::UNIX_EPOCH;

use rustok_telemetry::ErrorType;
use rustok_telemetry::event_bus::Panicked;

use super::{Event, Payload};
use crate::db::{AuditEntry, Database, DbError};
use crate::products::Product;

/// Something that acts on events.
#[async_trait::async_trait]
pub trait EventHandler: Send + Sync {
    /// Its name, as in the metrics.
    fn name(&self) -> &'static str;

    /// The part of the service that its errors belong to.
    fn module(&self) -> &'static str;

    /// Acts on an event. It may be given the same event again, and must bear it.
    async fn handle(&self, event: &Event) -> Result<(), HandlerError>;
}

/// Why a handler failed.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The text of a product has no word that anybody could search for.
    #[error("product {0} has no word to index")]
    NothingToIndex(String),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] DbError),
    /// The handler has a bug.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl ErrorType for HandlerError {
    fn error_type(&self) -> &'static str {
        self.kind()
    }
}

impl HandlerError {
    /// A short, stable name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NothingToIndex(_) => "nothing_to_index",
            Self::Database(error) => error.kind(),
            Self::Panicked(panicked) => panicked.error_type(),
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> &'static str {
        match self {
            Self::NothingToIndex(_) => "warning",
            Self::Database(_) => "error",
            Self::Panicked(_) => "critical",
        }
    }
}

/// Keeps the search index true to the products, and what was ordered last in front.
#[derive(Debug)]
pub struct IndexHandler {
    /// Where the index is.
    pub db: Database,
}

#[async_trait::async_trait]
impl EventHandler for IndexHandler {
    fn name(&self) -> &'static str {
        "index_handler"
    }

    fn module(&self) -> &'static str {
        "search_index"
    }

    async fn handle(&self, event: &Event) -> Result<(), HandlerError> {
        match &event.payload {
            Payload::ProductCreated(product) | Payload::ProductUpdated(product) => {
                let terms = terms(product)?;
                let tenant = &event.metadata.tenant_id;
                Ok(self.db.index_product(tenant, &product.id, &terms).await?)
            }
            Payload::ProductDeleted { id } => Ok(self.db.unindex_product(id).await?),
            Payload::StockReserved(order) => {
                let product = &order.product_id;
                Ok(self.db.rank_product(product, order.created_at).await?)
            }
        }
    }
}

/// Writes down who changed what, and when.
#[derive(Debug)]
pub struct AuditHandler {
    /// Where the log is.
    pub db: Database,
}

#[async_trait::async_trait]
impl EventHandler for AuditHandler {
    fn name(&self) -> &'static str {
        "audit_handler"
    }

    fn module(&self) -> &'static str {
        "audit"
    }

    async fn handle(&self, event: &Event) -> Result<(), HandlerError> {
        let metadata = &event.metadata;
        let since_1970 = metadata
            .telemetry
            .published_at()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let entry = AuditEntry {
            event_id: &metadata.id.to_string(),
            tenant_id: &metadata.tenant_id,
            event_type: event.payload.event_type(),
            subject: event.payload.subject(),
            happened_at: i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX),
        };
        Ok(self.db.insert_audit(entry).await?)
    }
}

/// The words of a product's name and description, lower case, each with a space around it.
fn terms(product: &Product) -> Result<String, HandlerError> {
    let text = format!("{} {}", product.name, product.description).to_lowercase();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() {
        return Err(HandlerError::NothingToIndex(product.id.clone()));
    }
    Ok(format!(" {} ", words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Product {
        Product {
            id: "p1".to_owned(),
            tenant_id: "acme".to_owned(),
            sku: "TEA".to_owned(),
            name: name.to_owned(),
            description: String::new(),
            price_cents: 1,
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn words_are_lower_case_and_without_punctuation() {
        assert_eq!(
            terms(&named("Green-Tea (50g)")).expect("words"),
            " green tea 50g "
        );
    }

    #[test]
    fn a_name_without_words_is_an_error() {
        let error = terms(&named("*** !!!")).expect_err("no word");
        assert_eq!(error.kind(), "nothing_to_index");
    }
}
