//! What is recorded is an argument, and recorded once.

use rustok_telemetry::instrument;

#[instrument(record(usre))]
fn misspelled(user: &str) {}

#[instrument(record(tenant))]
fn unknown(user: &str, id: u64) {}

#[instrument(record(id))]
fn without_arguments() {}

#[instrument(record(id, user), fields(id = 3, user.name = "ann"))]
fn twice(user: &str, id: u64) {}

#[instrument(tenant_id = tenant, fields(tenant_id = "acme"))]
fn tenant_twice(tenant: &str) {}

fn main() {}
