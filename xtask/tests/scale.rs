//! Two agents, two gateways and Jaeger, with the committed configurations: the traces that sampling keeps, and what is
//! lost when a part is killed. `cargo xtask scale` prints the same, and kills a gateway under load.
#![allow(
    clippy::print_stdout,
    reason = "the tests show the figures that they saw"
)]

use std::path::Path;

use xtask::scale::tiers::{Programs, Tiers};
use xtask::scale::{kills, late, shares};
use xtask::stack::programs::{self, Program};

fn start(test: &str) -> Tiers {
    let programs = Programs {
        collector: programs::path(Program::Otelcol).expect("the Collector"),
        jaeger: programs::path(Program::Jaeger).expect("Jaeger"),
        folder: Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("scale")
            .join(test),
    };
    Tiers::start(&programs, &shares::VARIABLES).expect("the tiers start")
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn a_trace_meets_in_one_gateway_and_shares_are_kept() {
    let tiers = start("shares");
    let random = &mut fastrand::Rng::with_seed(7);
    let shares = shares::run(&tiers, random).expect("a run");
    println!("{shares}");
    assert_eq!(shares.problems(), [""; 0]);
    for late in late::run(&tiers, random).expect("a run") {
        println!("{late}");
        assert_eq!(late.problem(), None);
    }
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn queues_on_disk_survive_kills_of_both_tiers() {
    let mut tiers = start("kills");
    let random = &mut fastrand::Rng::with_seed(11);
    let gateway = kills::gateway_and_agent(&mut tiers, random).expect("a run");
    println!("gateway and agent killed: {gateway:?}");
    assert_eq!(gateway.problems(), [""; 0]);
    let store = kills::store_and_gateway(&mut tiers, random).expect("a run");
    println!("Jaeger and gateway killed: {store:?}");
    assert_eq!(store.problems(), [""; 0]);
}
