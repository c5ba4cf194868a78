//! Checks of certificate files in a build without the Cargo feature `tls`: each refuses.

use std::path::Path;

use super::tls::TLS_DISABLED;

pub(super) fn check_trusted(_: &Path) -> Result<(), String> {
    refuse()
}

pub(super) fn check_certificate(_: &Path) -> Result<(), String> {
    refuse()
}

pub(super) fn check_key(_: &Path) -> Result<(), String> {
    refuse()
}

pub(super) fn check_pair(_: &Path, _: &Path) -> Result<(), String> {
    refuse()
}

fn refuse() -> Result<(), String> {
    Err(TLS_DISABLED.unwrap_or_default().to_owned())
}
