//! The short form of `cargo xtask faults`: some faults of the matrix by both protocols, and a short soak.
#![allow(
    clippy::print_stdout,
    reason = "the tests show the figures that they saw"
)]

use std::path::Path;
use std::time::Duration;

use xtask::faults::{Fault, Programs, Protocol, matrix, soak, table};
use xtask::stack::programs::{self, Program};
use xtask::workspace;

/// Its own folder, and programs that are built from the present sources.
fn programs(test: &str) -> Programs {
    // With the features that `cargo test --workspace` builds them with. Tests of a package come with its programs.
    let status = workspace::cargo()
        .args(["test", "--workspace", "--no-run", "--quiet"])
        .args(["--test", "arrival", "--test", "service"])
        .status();
    assert!(status.expect("cargo runs").success(), "they do not build");
    // target/<profile>/deps/faults-… → target/<profile>
    let this = std::env::current_exe().expect("a path");
    let profile = this.ancestors().nth(2).expect("a folder");
    Programs {
        collector: programs::path(Program::Otelcol).expect("the Collector"),
        service: profile.join("fault_service"),
        server: profile.join("rustok-server"),
        folder: Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("faults")
            .join(test),
    }
}

/// Everything that a service records is exported, dropped and counted, or still queued.
fn counts_agree(protocol: Protocol) {
    let programs = programs(&format!("{protocol:?}"));
    for fault in [
        Fault::Killed,
        Fault::Reset,
        Fault::Unavailable,
        Fault::PartialSuccess,
        Fault::DiskFull,
    ] {
        let lasts = Duration::from_secs(4);
        let row = matrix::run(&programs, fault, protocol, lasts).expect("a run");
        println!("{}", table::matrix(std::slice::from_ref(&row)));
        let problems = row.problems();
        assert!(problems.is_empty(), "{fault:?}, {protocol}: {problems:#?}");
    }
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn counts_agree_during_faults_over_grpc() {
    counts_agree(Protocol::Grpc);
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn counts_agree_during_faults_over_http() {
    counts_agree(Protocol::Http);
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn counters_of_a_service_survive_faults_at_full_load() {
    let programs = programs("soak");
    let time = Duration::from_secs(60);
    let soak = soak::run(&programs, Protocol::Http, time, 7).expect("a run");
    println!("{}", table::soak(std::slice::from_ref(&soak)));
    let problems = soak.problems();
    assert!(problems.is_empty(), "{problems:#?}");
}
