//! `crate = …` is a path.

use rustok_telemetry::{ErrorType, LabelValue, instrument};

#[instrument(crate = 3)]
fn number() {}

#[instrument(crate)]
fn without_a_value() {}

#[instrument(crate = "not a path")]
fn text() {}

#[rustok_telemetry::metrics(namespace = "shop", crate = acme())]
mod metrics {}

#[derive(ErrorType)]
#[error_type(crate = "not a path")]
enum Error {
    NotFound,
}

#[derive(ErrorType)]
#[error_type(crate = rustok_telemetry)]
#[error_type(crate = ::rustok_telemetry)]
struct Twice;

#[derive(LabelValue)]
#[label_value(crate)]
enum Outcome {
    Hit,
}

#[derive(LabelValue)]
#[label_value(name = "hit")]
enum Misplaced {
    #[label_value("hit")]
    Hit,
}

fn main() {}
