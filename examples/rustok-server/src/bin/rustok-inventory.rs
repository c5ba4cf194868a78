//! The inventory service on its own, for running it beside the catalogue.

use std::process::ExitCode;

fn main() -> ExitCode {
    rustok_server::cli::inventory()
}
