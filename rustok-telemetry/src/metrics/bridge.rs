//! Metrics of registries of other libraries, gathered at each collection.
//!
//! They are in no meter, so each reader of this crate gathers them: the text, the exporters and the console.
#![cfg_attr(
    not(feature = "prometheus-bridge"),
    allow(dead_code, reason = "no registry can be added")
)]

#[cfg(feature = "prometheus-bridge")]
pub(crate) mod prometheus;

use std::{
    collections::{BTreeMap, HashSet},
    hash::BuildHasher,
    sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError},
};

use foldhash::fast::RandomState;
use opentelemetry::KeyValue;

use super::{
    Kind,
    callbacks::{self, ReadAhead},
    meter_provider::SERIES_OF_OTHER_METERS,
    store::point::Point,
};

/// Name of the instrumentation scope of gathered metrics.
pub(crate) const SCOPE: &str = "prometheus";

/// Gathers the metrics of a registry.
pub(crate) type Registry = ReadAhead<Vec<GatheredMetric>>;

static REGISTRIES: OnceLock<Vec<Registry>> = OnceLock::new();

/// The label sets of each metric.
static ADMITTED: Mutex<BTreeMap<String, Admitted>> = Mutex::new(BTreeMap::new());

static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// The metrics of one collection.
#[derive(Default)]
pub(crate) struct Gathered(Vec<GatheredMetric>);

pub(crate) struct GatheredMetric {
    pub(super) name: String,
    pub(super) help: String,
    pub(super) kind: Kind,
    pub(super) series: Vec<(Vec<KeyValue>, Point)>,
}

#[derive(Default)]
struct Admitted {
    /// Hashes of all label sets gathered so far, so that a new one never replaces an old one.
    sets: HashSet<u64, RandomState>,
    dropped: u64,
}

/// Sets the registries. Called once, when telemetry starts.
pub(crate) fn install(registries: Vec<Registry>) {
    let _ = REGISTRIES.set(registries);
}

/// Gathers the metrics of all registries. One with a collector that panics or hangs is left out.
pub(crate) fn gather() -> Gathered {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let registries = REGISTRIES.get().into_iter().flatten();
    // Another collection would take these values.
    let one_at_a_time = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    callbacks::run_all(registries.clone().map(|it| Arc::clone(&it.callback)));
    let returned = registries.filter(|it| !it.callback.hangs());
    let mut all: Vec<_> = returned
        .filter_map(|it| it.latest().take())
        .flatten()
        .collect();
    drop(one_at_a_time);
    if !all.is_empty() {
        drop_beyond_limit(&mut all);
    }
    Gathered(all)
}

impl Gathered {
    pub(super) fn metrics(&self) -> impl Iterator<Item = &GatheredMetric> {
        self.0.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Drops and counts label sets beyond the series limit.
fn drop_beyond_limit(metrics: &mut [GatheredMetric]) {
    let mut admitted = admitted();
    for metric in metrics {
        let Admitted { sets, dropped } = admitted.entry(metric.name.clone()).or_default();
        metric.series.retain(|(labels, _)| {
            let set = HASHER.hash_one(labels);
            let is_admitted =
                sets.contains(&set) || (sets.len() < SERIES_OF_OTHER_METERS && sets.insert(set));
            *dropped += u64::from(!is_admitted);
            is_admitted
        });
    }
}

/// Visits each metric of which label sets were dropped, with their number.
pub(super) fn visit_dropped(visit: &mut dyn FnMut(&str, u64)) {
    for (name, Admitted { dropped, .. }) in admitted().iter() {
        if *dropped > 0 {
            visit(name, *dropped);
        }
    }
}

fn admitted() -> MutexGuard<'static, BTreeMap<String, Admitted>> {
    ADMITTED.lock().unwrap_or_else(PoisonError::into_inner)
}
