//! `#[instrument]` goes on a function that runs.

use rustok_telemetry::instrument;

#[instrument]
const fn constant() {}

trait Shop {
    #[instrument]
    fn sell(&self);
}

struct Basket;

#[instrument(recrod(self))]
impl Basket {
    fn open(&self) {}
}

#[instrument]
struct Goods;

fn main() {
    constant();
}
