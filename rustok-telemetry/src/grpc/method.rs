//! The method of a call, and whether it is a known one.

use std::{hash::BuildHasher, sync::LazyLock};

use foldhash::fast::RandomState;
use http::Uri;

use crate::metrics::store::read_table::ReadTable;

/// Labels and `rpc.method` of calls to unknown methods.
pub const UNKNOWN_METHOD: &str = "_OTHER";

/// Maximum length of `rpc.method_original` in bytes.
const MAX_ORIGINAL: usize = 128;

/// Known methods of a process; further ones stay unknown.
const MAX_KNOWN: usize = 1_000;

/// The known methods as `{service}/{method}`.
static KNOWN: LazyLock<(ReadTable<Box<str>>, RandomState)> =
    LazyLock::new(|| (ReadTable::new(MAX_KNOWN), RandomState::default()));

/// The method that a call names.
#[derive(Debug)]
pub(super) struct Method {
    /// Its path is `/{service}/{method}`.
    uri: Uri,
    is_known: bool,
}

impl Method {
    /// Returns the method that a request names. It is known if `is_known`, or if it has been [added](add).
    pub(super) fn of(uri: &Uri, is_known: bool) -> Self {
        let mut method = Self {
            uri: uri.clone(),
            is_known: false,
        };
        method.is_known = is_known || is_added(method.original());
        method
    }

    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// Makes the method a known one, if it is well-formed.
    pub(super) fn learn(&mut self) {
        if !self.is_known {
            self.is_known = add(self.original());
        }
    }

    /// Returns the name for the labels `service` and `method`.
    pub(super) fn labels(&self) -> (&str, &str) {
        let known = self.is_known.then(|| self.original().split_once('/'));
        known.flatten().unwrap_or((UNKNOWN_METHOD, UNKNOWN_METHOD))
    }

    /// Returns `{service}/{method}` of a known method.
    pub(super) fn full_name(&self) -> Option<&str> {
        self.is_known.then(|| self.original())
    }

    /// Returns what the caller sent, truncated.
    pub(super) fn truncated(&self) -> &str {
        let original = self.original();
        &original[..original.floor_char_boundary(MAX_ORIGINAL)]
    }

    fn original(&self) -> &str {
        let path = self.uri.path();
        path.strip_prefix('/').unwrap_or(path)
    }
}

/// Adds a method to the known ones. Returns `false` if there are too many, or if it is not `{service}/{method}`.
pub(super) fn add(method: &str) -> bool {
    let is_well_formed = method.split_once('/').is_some_and(|(service, method)| {
        !service.is_empty() && !method.is_empty() && !method.contains('/')
    });
    let (methods, hasher) = &*KNOWN;
    is_well_formed && (is_added(method) || methods.insert(hasher.hash_one(method), method.into()))
}

fn is_added(method: &str) -> bool {
    let (methods, hasher) = &*KNOWN;
    let found = methods.find(hasher.hash_one(method), |known| **known == *method);
    found.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(path: &'static str) -> Method {
        Method::of(&Uri::from_static(path), false)
    }

    #[test]
    fn a_method_is_known_once_it_is_learned() {
        let mut stock = method("/inventory.v1.Inventory/GetStock");
        assert_eq!(stock.labels(), (UNKNOWN_METHOD, UNKNOWN_METHOD));
        assert_eq!(stock.full_name(), None);
        stock.learn();
        assert_eq!(stock.labels(), ("inventory.v1.Inventory", "GetStock"));
        let next = method("/inventory.v1.Inventory/GetStock");
        assert_eq!(next.full_name(), Some("inventory.v1.Inventory/GetStock"));
    }

    #[test]
    fn malformed_paths_are_never_known() {
        for path in ["/", "/one", "//two", "/one/", "/one/two/three"] {
            let mut malformed = method(path);
            malformed.learn();
            assert!(!malformed.is_known(), "{path}");
        }
    }
}
