//! Options of `#[instrument]` are known, given once, and of the right form.

use rustok_telemetry::instrument;

#[instrument(nam = "load", colour = "red", level = "loud", level = "info")]
fn unknown() {}

#[instrument(skip(pasword, 3))]
fn skips(password: &str) {}

#[instrument(skip_all = true)]
fn skips_all(password: &str) {}

#[instrument(skip(pasword))]
fn skips_unknown(password: &str) {}

#[instrument(record = id, fields = id, target(shop), name = 3, parent, tenant_id)]
fn forms(id: u64) {}

#[instrument(err(Debgu, Debug, Debug), ret = true)]
fn events() -> Result<(), String> {
    Ok(())
}

#[instrument(module = "")]
fn empty() {}

#[instrument(severity = "warning")]
fn severity_of_nothing() {}

#[instrument(level = "debug" "again")]
fn no_comma() {}

fn main() {}
