//! Loom's atomics with a constant constructor, because the counters of a queue are in a static.

use std::sync::OnceLock;

pub(super) use loom::sync::atomic::{Ordering, fence};

macro_rules! atomic {
    ($name:ident, $value:ty) => {
        #[derive(Debug)]
        pub(super) struct $name {
            first: $value,
            atomic: OnceLock<loom::sync::atomic::$name>,
        }

        impl $name {
            pub(super) const fn new(first: $value) -> Self {
                let atomic = OnceLock::new();
                Self { first, atomic }
            }

            fn get(&self) -> &loom::sync::atomic::$name {
                self.atomic
                    .get_or_init(|| loom::sync::atomic::$name::new(self.first))
            }

            pub(super) fn load(&self, order: Ordering) -> $value {
                self.get().load(order)
            }

            pub(super) fn store(&self, value: $value, order: Ordering) {
                self.get().store(value, order);
            }

            pub(super) fn swap(&self, value: $value, order: Ordering) -> $value {
                self.get().swap(value, order)
            }
        }
    };
}

macro_rules! number {
    ($name:ident, $value:ty) => {
        atomic!($name, $value);

        impl $name {
            pub(super) fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.get().fetch_add(value, order)
            }

            pub(super) fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.get().fetch_sub(value, order)
            }
        }
    };
}

atomic!(AtomicBool, bool);
number!(AtomicU64, u64);
number!(AtomicUsize, usize);
