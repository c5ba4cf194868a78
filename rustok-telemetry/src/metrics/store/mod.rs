//! Native storage of recorded values: cells, the series that own them, and the lookup from label values to series.
//!
//! Recording to a known label set takes no lock and does not allocate. The lock-free parts get their primitives from
//! [`sync`] alone, so that loom can run every interleaving.

#[cfg(test)]
mod bucket_tests;
pub(crate) mod buckets;
mod budget;
pub(crate) mod cell;
pub(crate) mod distribution;
pub(crate) mod exemplars;
pub(crate) mod histogram_cell;
mod label_key;
pub(crate) mod point;
pub(crate) mod read_table;
pub(crate) mod series;
mod sync;
