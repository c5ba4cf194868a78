//! The span field `tenant_id`, and records of it for spans that do not declare it.

use tracing::{
    Metadata, Value, callsite::Identifier, field::FieldSet, metadata::Kind, span::Record,
    subscriber::Interest,
};

/// Name of the span field, attribute, label and baggage entry of the tenant.
pub const TENANT_ID: &str = "tenant_id";

/// Calls `f` with a record of the field `tenant_id`.
pub(crate) fn with_tenant_record(tenant: &str, f: impl FnOnce(&Record<'_>)) {
    let fields = CALLSITE.metadata.fields();
    if let Some(field) = fields.field(TENANT_ID) {
        let values = [(&field, Some(&tenant as &dyn Value))];
        f(&Record::new(&fields.value_set(&values)));
    }
}

/// Metadata with the field alone.
pub(super) fn metadata() -> &'static Metadata<'static> {
    &CALLSITE.metadata
}

/// A callsite that declares the field.
struct TenantCallsite {
    metadata: Metadata<'static>,
}

static CALLSITE: TenantCallsite = TenantCallsite {
    metadata: Metadata::new(
        TENANT_ID,
        module_path!(),
        tracing::Level::ERROR,
        None,
        None,
        None,
        FieldSet::new(&[TENANT_ID], Identifier(&CALLSITE)),
        Kind::SPAN,
    ),
};

impl tracing::callsite::Callsite for TenantCallsite {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &self.metadata
    }
}
