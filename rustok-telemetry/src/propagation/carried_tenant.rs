//! The tenant as an entry of the baggage: it leaves and is believed only where the service says so.

use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
};

use crate::tenant::TENANT_ID;

/// Longest tenant in bytes that travels.
const LONGEST: usize = 128;

/// A value of a context whose tenant may leave the process.
#[derive(Debug)]
struct MayLeave;

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
pub(super) fn keep_back(context: &Context) -> Option<Context> {
    let names_one = context.baggage().get(TENANT_ID).is_some();
    (names_one && context.get::<MayLeave>().is_none()).then(|| {
        let mut baggage = Baggage::new();
        add_others(&mut baggage, context);
        context.with_baggage(baggage)
    })
}

/// The tenant that the baggage names, if it [can be one](can_travel).
pub(crate) fn named_in(context: &Context) -> Option<&str> {
    let tenant = context.baggage().get(TENANT_ID)?.as_str();
    can_travel(tenant).then_some(tenant)
}

/// 1 to 128 bytes, without spaces around, control characters, and `%`, which the header would not keep as it is.
fn can_travel(tenant: &str) -> bool {
    (1..=LONGEST).contains(&tenant.len())
        && tenant.trim() == tenant
        && !tenant.contains(|letter: char| letter == '%' || letter.is_control())
}

fn add_others(baggage: &mut Baggage, context: &Context) {
    for (key, (value, metadata)) in context.baggage() {
        if key.as_str() != TENANT_ID {
            baggage.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
        }
    }
}
