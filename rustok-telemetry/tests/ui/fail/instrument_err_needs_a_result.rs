//! `err` is for functions that return a `Result`.

use rustok_telemetry::instrument;

#[instrument(err)]
fn number() -> u64 {
    3
}

fn main() {
    number();
}
