//! The catalogue service. `rustok-server --help` tells what it takes.

use std::process::ExitCode;

fn main() -> ExitCode {
    rustok_server::cli::server()
}
