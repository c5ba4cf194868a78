//! The tenant as an entry of the baggage: it leaves and is believed only where the service says so.

use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
};

use crate::trace::TENANT_ID;

/// Longest tenant in bytes that travels.
const LONGEST: usize = 128;

/// A value of a context whose tenant may leave the process.
#[derive(Debug)]
struct MayLeave;

/// A value of a context whose caller did not name one tenant, but several or a malformed one.
#[derive(Debug)]
struct Doubtful;

/// The baggage that a caller's headers add to a context.
#[derive(Debug)]
pub(super) struct Received {
    baggage: Baggage,
    is_doubtful: bool,
}

impl Received {
    /// The baggage that the context has.
    pub(super) fn within(context: &Context) -> Self {
        let known = context.baggage().into_iter();
        Self {
            baggage: known
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            is_doubtful: context.get::<Doubtful>().is_some(),
        }
    }

    /// Adds an entry, in place of an earlier one of the same key.
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

    /// Notes that the headers name a tenant in a malformed way.
    pub(super) fn doubt_tenant(&mut self) {
        self.is_doubtful = true;
    }

    /// The context with this baggage, which has no tenant if the headers did not name one tenant.
    pub(super) fn into_context(mut self, context: &Context) -> Context {
        if self.is_doubtful {
            self.baggage.remove(TENANT_ID);
            return context.with_baggage(self.baggage).with_value(Doubtful);
        }
        context.with_baggage(self.baggage)
    }
}

/// The context with this tenant in its baggage, to be sent. One that [cannot travel](can_travel) is left out.
pub(super) fn send(context: &Context, tenant: Option<&str>) -> Context {
    let mut baggage = Baggage::new();
    // First, since there is an end to what a baggage takes.
    if let Some(tenant) = tenant.filter(|tenant| can_travel(tenant)) {
        baggage.insert(TENANT_ID, tenant.to_owned());
    }
    add_others(&mut baggage, context);
    context.with_baggage(baggage).with_value(MayLeave)
}

/// The context without the tenant that a caller named, unless this is [meant to be sent](send).
///
/// Else anybody could name a tenant to a service that trusts its callers, by way of one that does not.
pub(super) fn strip_tenant(context: &Context) -> Option<Context> {
    let names_one = context.baggage().get(TENANT_ID).is_some();
    (names_one && context.get::<MayLeave>().is_none()).then(|| {
        let mut baggage = Baggage::new();
        add_others(&mut baggage, context);
        context.with_baggage(baggage)
    })
}

/// The tenant that the baggage names, if it names one and that [can be one](can_travel).
pub(crate) fn named_in(context: &Context) -> Option<&str> {
    let tenant = context.baggage().get(TENANT_ID)?.as_str();
    can_travel(tenant).then_some(tenant)
}

/// 1 to 128 bytes, without spaces around, control characters, `%`, which some senders don't encode, and U+FFFD, which
/// stands for what cannot be decoded.
fn can_travel(tenant: &str) -> bool {
    let is_refused =
        |letter: char| matches!(letter, '%' | char::REPLACEMENT_CHARACTER) || letter.is_control();
    (1..=LONGEST).contains(&tenant.len()) && tenant.trim() == tenant && !tenant.contains(is_refused)
}

fn add_others(baggage: &mut Baggage, context: &Context) {
    for (key, (value, metadata)) in context.baggage() {
        if key.as_str() != TENANT_ID {
            baggage.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
        }
    }
}
