//! The size of requests with spans or log records, which adapts to a slow link.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::requests::LARGEST_REQUEST;

/// A request of up to this size is not split.
const SMALLEST: usize = 64 << 10;

/// Most bytes of a request: half of one that took too long, and more again after each success at about this size.
#[derive(Debug)]
pub(super) struct RequestSize(AtomicUsize);

impl RequestSize {
    pub(super) const fn new() -> Self {
        Self(AtomicUsize::new(LARGEST_REQUEST))
    }

    pub(super) fn get(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// A request of this size failed, late.
    pub(super) fn shrink(&self, bytes: usize) {
        if bytes > SMALLEST {
            let half = (bytes / 2).max(SMALLEST);
            self.0.store(half.min(self.get()), Relaxed);
        }
    }

    /// A request of this size succeeded.
    pub(super) fn grow(&self, bytes: usize) {
        let size = self.get();
        if size < LARGEST_REQUEST && bytes >= size / 2 {
            self.0
                .store((size + size / 8).min(LARGEST_REQUEST), Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_halves_and_grows_back() {
        let size = RequestSize::new();
        for expected in [
            2 << 20,
            1 << 20,
            512 << 10,
            256 << 10,
            128 << 10,
            SMALLEST,
            SMALLEST,
        ] {
            size.shrink(size.get());
            assert_eq!(size.get(), expected);
        }
        size.shrink(1_000);
        // It is not at its limit.
        size.grow(1_000);
        assert_eq!(size.get(), SMALLEST);
        size.grow(SMALLEST);
        assert_eq!(size.get(), SMALLEST / 8 * 9);
        (0..100).for_each(|_| size.grow(size.get()));
        assert_eq!(size.get(), LARGEST_REQUEST);
    }

    #[test]
    fn a_small_request_that_takes_too_long_changes_nothing() {
        let size = RequestSize::new();
        size.shrink(SMALLEST);
        assert_eq!(size.get(), LARGEST_REQUEST);
    }
}
