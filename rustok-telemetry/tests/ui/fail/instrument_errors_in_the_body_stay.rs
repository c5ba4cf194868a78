//! The compiler's own messages about a body point into it.

use rustok_telemetry::instrument;

#[instrument]
fn blocking() -> Result<u64, String> {
    Ok("three")
}

#[instrument]
async fn asynchronous() -> u64 {
    "three"
}

fn main() {
    let _ = blocking();
    let _ = asynchronous();
}
