//! `cargo xtask scale jaeger`: several Jaegers on one store.

use clap::{Args, ValueEnum};
use xtask::scale::Error;
use xtask::scale::jaeger::{self, Jaegers, kills, reads};
use xtask::scale::tiers::Programs;

/// Run two Jaegers that write and two that read, on a store that is fetched with Maven; kill parts, and count what is
/// lost.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The store.
    store: Store,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Store {
    /// Three nodes of Cassandra, with three replicas.
    Cassandra,
    /// One node of OpenSearch.
    Opensearch,
}

pub(super) fn run(
    options: &Options,
    programs: &Programs,
    random: &mut fastrand::Rng,
) -> Result<Vec<String>, Error> {
    let store = match options.store {
        Store::Cassandra => jaeger::Store::Cassandra,
        Store::Opensearch => jaeger::Store::OpenSearch,
    };
    let mut jaegers = Jaegers::start(programs, store)?;
    println!(
        "servers ready in {:.1} s",
        jaegers.storage.servers_ready.as_secs_f64()
    );
    let reads = reads::run(&mut jaegers, random)?;
    println!("{reads}");
    let mut problems = reads.problems();
    let writer = kills::writer(&mut jaegers, random)?;
    println!("a Jaeger that writes killed under load: {writer:?}");
    problems.extend(kills::writer_problems(store, &writer));
    let server = kills::server(&mut jaegers, &reads.sent, random)?;
    println!("a server of the store killed under load: {server:?}");
    problems.extend(server.problems(store, reads.sent.len()));
    for (program, mebibytes) in jaegers.memory()? {
        println!("{mebibytes:>6} MiB {program}");
    }
    Ok(problems)
}
