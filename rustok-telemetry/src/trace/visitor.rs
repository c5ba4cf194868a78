//! Reads the fields of a span or event that the span metrics need.

use std::{fmt, sync::Arc};

use tracing::field::{Field, Visit};

use crate::trace::CANCELLED;

/// The visited fields.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) tenant_id: Option<Arc<str>>,
    pub(super) error_type: Option<Box<str>>,
    pub(super) status_is_error: bool,
    pub(super) cancelled: bool,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "tenant_id" => self.tenant_id = Some(value.into()),
            "error.type" => self.error_type = Some(value.into()),
            "otel.status_code" => self.status_is_error = value.eq_ignore_ascii_case("error"),
            "rustok.outcome" => self.cancelled = value == CANCELLED,
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Formatting allocates, so only these fields are formatted. `%value` comes here too.
        if matches!(
            field.name(),
            "tenant_id" | "error.type" | "otel.status_code" | "rustok.outcome"
        ) {
            self.record_str(field, &format!("{value:?}"));
        }
    }
}
