//! What no library can go below.

use std::{
    hash::{BuildHasher, Hash, Hasher},
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::fast::RandomState;

use super::{Kind, Series};
use crate::contender::Contender;

/// One relaxed write to the atomic of a series that is known already.
pub(super) fn contenders(kind: Kind, series: Series) -> Vec<Contender> {
    let [event_types, tenants] = series.shape();
    let cells: Arc<[AtomicU64]> = (0..event_types * tenants)
        .map(|_| AtomicU64::new(0))
        .collect();
    let written = Arc::clone(&cells);
    let held = move || cells.iter().map(|cell| cell.load(Ordering::Relaxed)).sum();
    let atomic = match kind {
        Kind::Gauge => {
            let store =
                move |_: [&str; 2], set: usize| written[set].store(set as u64, Ordering::Relaxed);
            Contender::new("floor: an atomic store, series known", store, held)
        }
        Kind::Counter | Kind::Histogram => {
            let add = move |_: [&str; 2], set: usize| {
                written[set].fetch_add(1, Ordering::Relaxed);
            };
            Contender::new("floor: an atomic add, series known", add, held)
        }
    };
    vec![atomic, hashes()]
}

/// The hash of both labels, and nothing else.
fn hashes() -> Contender {
    let hasher = RandomState::default();
    let hash = move |labels: [&str; 2], _: usize| {
        let mut state = hasher.build_hasher();
        labels[0].hash(&mut state);
        labels[1].hash(&mut state);
        black_box(state.finish());
    };
    Contender::unchecked("floor: hashes of two labels", hash)
}
