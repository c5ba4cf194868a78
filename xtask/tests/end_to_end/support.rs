//! A stack on free ports, and waiting for what takes a moment.

use std::path::{Path, PathBuf};
use std::sync::Once;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustok_telemetry::metrics::{Declaration, catalogue};
use xtask::progress::Reporter;
use xtask::stack::Stack;
use xtask::workspace;

/// A stack of the test's own, scraped every second.
pub(crate) fn stack(name: &str) -> Stack {
    Stack::builder()
        .run_dir(scratch(name).join("stack"))
        .free_ports()
        .scrape_interval(Duration::from_secs(1))
        .reporter(Reporter::stderr())
        .up()
        .expect("the stack starts")
}

/// Exporters of traces with which spans are those of OpenTelemetry's SDK: the console exporter takes no native spans.
pub(crate) const WITH_THE_SDK: &str = "console,otlp";

/// The metrics of gRPC servers, which the inventory records. The service serves HTTP, and calls the inventory by gRPC.
pub(crate) const GRPC_SERVER: &str = "rustok_grpc_server_";

/// The metrics that exist only with a spool.
const SPOOL: &str = "rustok_telemetry_spooled_";

/// The metrics of the catalogue that exist without a spool, and whose names do not begin with `prefix`.
pub(crate) fn catalogue_without(prefix: &str) -> Vec<&'static Declaration> {
    let mut metrics = catalogue();
    let is_absent = |name: &str| name.starts_with(prefix) || name.starts_with(SPOOL);
    metrics.retain(|metric| !is_absent(metric.name));
    metrics
}

/// A folder for one test, empty.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("end_to_end")
        .join(name);
    match std::fs::remove_dir_all(&folder) {
        Ok(()) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
    }
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

/// Tries until it succeeds; fails with the last reason after `limit`.
#[track_caller]
pub(crate) fn eventually<T>(limit: Duration, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(reason) if started.elapsed() > limit => panic!("after {limit:?}: {reason}"),
            Err(_) => sleep(Duration::from_millis(500)),
        }
    }
}

/// A program of the workspace, built from the present sources.
pub(crate) fn program(name: &str) -> PathBuf {
    static BUILD: Once = Once::new();
    BUILD.call_once(|| {
        // With the features that `cargo test --workspace` builds them with, where there is nothing left to do then.
        // Tests of a package come with its programs.
        let status = workspace::cargo()
            .args(["test", "--workspace", "--no-run", "--quiet"])
            .args(["--test", "doctor", "--test", "service"])
            .status();
        assert!(status.expect("cargo runs").success(), "they do not build");
    });
    // target/<profile>/deps/end_to_end-… → target/<profile>/<name>
    let test = std::env::current_exe().expect("a path");
    let profile = test.ancestors().nth(2).expect("a folder");
    profile.join(name)
}
