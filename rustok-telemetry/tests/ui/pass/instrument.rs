//! `#[instrument]` needs no dependency on `tracing`, and leaves attributes and names as they are.

#![deny(warnings)]

use rustok_telemetry::{ErrorType, LabelValue, instrument};

const SITE: &str = "shop";

#[derive(Debug, ErrorType)]
pub enum Error {
    NotFound,
}

#[derive(LabelValue)]
pub enum Outcome {
    Hit,
}

/// As with `tracing::instrument`.
#[instrument(skip(password), fields(id))]
pub fn skips(id: u64, password: &str) -> usize {
    let _ = id;
    password.len()
}

/// As with `tracing::instrument`.
#[instrument(skip_all)]
pub fn skips_all(password: &str) -> usize {
    password.len()
}

/// Documented.
#[instrument(
    name = "load",
    level = "debug",
    record(id, %user),
    fields(site = SITE, otel.kind = "client"),
    tenant_id = user,
    module = "catalog",
    err(Debug),
    ret,
)]
#[must_use]
#[allow(clippy::needless_pass_by_value)]
pub async fn load(id: u64, mut user: String, _password: &str) -> Result<u64, Error> {
    #![allow(unused_mut)]
    let call = id;
    if call == 0 {
        return Err(Error::NotFound);
    }
    user.clear();
    Ok(call)
}

#[instrument]
pub fn unit() {}

#[instrument]
pub fn early(span: Option<u64>) -> Option<u64> {
    let result = span?;
    for body in 0..result {
        if body == 3 {
            return Some(body);
        }
    }
    None
}

#[instrument]
pub unsafe fn raw(_pointer: *const u8) -> u8 {
    3
}

macro_rules! instrumented {
    ($name:ident, $argument:ident: $kind:ty, $returned:ty) => {
        #[instrument(record($argument))]
        pub fn $name($argument: $kind) -> $returned {
            $argument
        }
    };
}

instrumented!(same, value: u64, u64);

fn main() {
    unit();
    assert_eq!(early(Some(1)), None);
    assert_eq!(same(3), 3);
    assert_eq!(Outcome::Hit.as_label(), "hit");
    drop(load(1, String::new(), "hunter2"));
}
