//! Metrics of caches. The hit rate is derived from the operations.

use std::{sync::LazyLock, time::Instant};

use crate::metrics::sliding::SlidingTotals;

/// Declarations; the functions are re-exported by [`metrics`](super).
#[crate::metrics(namespace = "rustok", subsystem = "cache")]
pub(crate) mod declared {
    use crate::metrics::FAST_SECONDS;

    /// Operations on the cache by result: hit or miss for a lookup, ok or a kind of failure for others.
    #[counter(name = "operations_total", series = 300, also = super::count_look_up)]
    pub fn record_cache_operation(
        #[label(budget = 20)] cache: &str,
        #[label(budget = 10)] operation: &str,
        #[label(budget = 10)] result: &str,
    );

    /// Hit ratio of the lookups of the last five minutes, from 0 to 1; absent without lookups.
    #[observable_gauge(name = "hit_rate", unit = "1", observe = super::hit_rates)]
    fn cache_hit_rate(#[label(budget = 21)] cache: &str) -> f64;

    /// Entries in the cache.
    #[gauge(name = "size")]
    pub fn update_cache_size(#[label(budget = 20)] cache: &str, entries: i64);

    /// Entries that left the cache, by reason.
    #[counter(name = "evictions_total", series = 200)]
    pub fn record_cache_eviction(
        #[label(budget = 20)] cache: &str,
        #[label(budget = 10)] reason: &str,
    );

    /// Time that an operation on the cache took.
    #[histogram(name = "operation_duration_seconds", unit = "s", boundaries = FAST_SECONDS, series = 150)]
    pub fn record_cache_duration(
        #[label(budget = 20)] cache: &str,
        #[label(budget = 10)] operation: &str,
        seconds: f64,
    );
}

const HITS: usize = 0;
const MISSES: usize = 1;

static LOOK_UPS: LazyLock<SlidingTotals<2>> = LazyLock::new(|| SlidingTotals::new(20));

fn count_look_up(cache: &str, _operation: &str, result: &str) {
    match result {
        "hit" => LOOK_UPS.add(cache, HITS),
        "miss" => LOOK_UPS.add(cache, MISSES),
        _ => {}
    }
}

fn hit_rates(report: &mut dyn FnMut([&str; 1], f64)) {
    LOOK_UPS.visit(Instant::now(), &mut |cache, [hits, misses], _| {
        let look_ups = hits + misses;
        if look_ups > 0 {
            report([cache], hits as f64 / look_ups as f64);
        }
    });
}
