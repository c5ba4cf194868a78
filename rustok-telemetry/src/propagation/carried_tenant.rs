//! The tenant as a baggage entry, which is sent and accepted only where the service enables it.

use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
};

use crate::trace::TENANT_ID;

/// Maximum length of a propagated tenant in bytes.
const LONGEST: usize = 128;

/// Marks a context whose tenant may be injected.
#[derive(Debug)]
struct MayLeave;

/// Marks a context whose caller named several tenants, or a malformed one.
#[derive(Debug)]
struct Doubtful;

/// The baggage of a context, while entries of the caller's headers are added to it.
#[derive(Debug)]
pub(super) struct Received {
    baggage: Baggage,
    is_doubtful: bool,
}

impl Received {
    /// Starts with the baggage of the context.
    pub(super) fn within(context: &Context) -> Self {
        let known = context.baggage().into_iter();
        Self {
            baggage: known
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            is_doubtful: context.get::<Doubtful>().is_some(),
        }
    }

    /// Inserts an entry, which replaces an earlier one with the same key.
    pub(super) fn insert(
        &mut self,
        key: &str,
        value: impl Into<String>,
        metadata: impl Into<String>,
    ) {
        let value = value.into();
        if key == TENANT_ID {
            let earlier = self.baggage.get(TENANT_ID);
            self.is_doubtful |= earlier.is_some_and(|earlier| earlier.as_str() != value);
        }
        self.baggage
            .insert_with_metadata(key.to_owned(), value, metadata.into());
    }

    /// Records that the headers contain a malformed tenant.
    pub(super) fn doubt_tenant(&mut self) {
        self.is_doubtful = true;
    }

    /// Returns the context with this baggage, without the tenant if the headers are contradictory or malformed.
    pub(super) fn into_context(mut self, context: &Context) -> Context {
        if self.is_doubtful {
            self.baggage.remove(TENANT_ID);
            return context.with_baggage(self.baggage).with_value(Doubtful);
        }
        context.with_baggage(self.baggage)
    }
}

/// Returns the context with this tenant in its baggage, for injection. An [invalid](is_valid) tenant is not added.
pub(super) fn send(context: &Context, tenant: Option<&str>) -> Context {
    let mut baggage = Baggage::new();
    // The tenant first, because a full baggage drops further entries.
    if let Some(tenant) = tenant.filter(|tenant| is_valid(tenant)) {
        baggage.insert(TENANT_ID, tenant.to_owned());
    }
    add_others(&mut baggage, context);
    context.with_baggage(baggage).with_value(MayLeave)
}

/// Returns the context without the caller's tenant, or `None` if the context has no tenant or is [meant for it](send).
///
/// Otherwise a client could pass a tenant through a service that does not trust it to one that trusts that service.
pub(super) fn strip_tenant(context: &Context) -> Option<Context> {
    let mut keys = context.baggage().into_iter().map(|(key, _)| key.as_str());
    let names_one = keys.any(is_tenant);
    (names_one && context.get::<MayLeave>().is_none()).then(|| {
        let mut baggage = Baggage::new();
        add_others(&mut baggage, context);
        context.with_baggage(baggage)
    })
}

/// Returns the tenant in the baggage, if it is [valid](is_valid).
pub(crate) fn named_in(context: &Context) -> Option<&str> {
    let tenant = context.baggage().get(TENANT_ID)?.as_str();
    is_valid(tenant).then_some(tenant)
}

/// Whether a tenant has 1 to 128 bytes, no surrounding spaces, no control characters, no `%`, which some senders don't
/// encode, and no U+FFFD, which replaces invalid UTF-8.
fn is_valid(tenant: &str) -> bool {
    let is_forbidden =
        |letter: char| matches!(letter, '%' | char::REPLACEMENT_CHARACTER) || letter.is_control();
    let is_trimmed = tenant.trim() == tenant;
    (1..=LONGEST).contains(&tenant.len()) && is_trimmed && !tenant.contains(is_forbidden)
}

/// Whether a key of the baggage may be read as the tenant. Headers of Jaeger's format fold the case of keys.
fn is_tenant(key: &str) -> bool {
    key.eq_ignore_ascii_case(TENANT_ID)
}

fn add_others(baggage: &mut Baggage, context: &Context) {
    for (key, (value, metadata)) in context.baggage() {
        if !is_tenant(key.as_str()) {
            baggage.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
        }
    }
}
