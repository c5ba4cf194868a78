//! Where recorded values live: cells, the series that hold them, and the lookup from label values to series.
//!
//! Recording takes no lock and allocates nothing for a known label set. The lock-free parts use [`sync`] alone, so that
//! loom can run them in every order of their steps.

#[cfg(test)]
mod bucket_tests;
pub(crate) mod buckets;
mod budget;
pub(crate) mod cell;
pub(crate) mod distribution;
pub(crate) mod histogram_cell;
mod label_key;
pub(crate) mod point;
pub(crate) mod read_table;
pub(crate) mod series;
#[cfg(test)]
mod series_tests;
mod sync;
