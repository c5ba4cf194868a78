//! Primitives of the queue. The tests in `loom/` replace this file by one with loom's.

pub(super) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
