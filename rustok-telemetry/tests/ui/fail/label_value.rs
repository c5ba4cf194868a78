//! What `#[derive(LabelValue)]` says when there is no bounded set of values.

use rustok_telemetry::LabelValue;

#[derive(LabelValue)]
struct Tenant(String);

#[derive(LabelValue)]
enum Outcome {
    Hit,
    #[label("hit")]
    Found,
    Failed(String),
    #[label("")]
    Empty,
    #[label = "miss"]
    Miss,
    #[label("one")]
    #[label("two")]
    Twice,
}

fn main() {}
