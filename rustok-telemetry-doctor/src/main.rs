//! `rustok-telemetry-doctor` shows the settings that the environment gives a service, and checks whether its telemetry
//! arrives.
//!
//! It reads the variables as [`rustok_telemetry::init()`] does and prints each setting with its source, every error and
//! every warning. With `--check` it also sends a marked span, counter and log record as a service does, and follows
//! them to the Collector, Jaeger and Prometheus. `docs/doctor.md` describes it for users.
//!
//! `options.rs` is the command line; `check.rs` is the check, hop by hop; `diagnosis.rs` finds the cause of a failed
//! export; `text.rs` and `json.rs` print.
#![allow(
    unreachable_pub,
    reason = "the modules of a program have no public interface"
)]

mod check;
mod diagnosis;
mod endpoint;
mod jaeger;
mod json;
mod marked;
mod mismatch;
mod options;
mod probe;
mod prometheus;
mod proxy;
mod query;
mod step;
mod text;

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use clap::Parser;
use rustok_telemetry::config::{Report, TelemetryConfig};

use self::{check::Check, options::Options};

/// The configuration, and the live check if there was one.
struct Findings {
    config: TelemetryConfig,
    check: Option<Check>,
    /// Whether a check was requested, but a service would not start.
    not_checked: bool,
}

/// Exit statuses, numbered as in BSD's `sysexits.h` where that has one. The parser of the command line exits with 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Ok = 0,
    CheckFailed = 1,
    Misconfigured = 78,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let findings = examine(&options);
    let text = match options.json {
        true => json::render(&findings),
        false => text::render(&findings, &options),
    };
    // A closed pipe, as with `head`, is not an error.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::from(findings.outcome() as u8)
}

fn examine(options: &Options) -> Findings {
    let config = TelemetryConfig::from_env_tolerant();
    let would_start = config.diagnostics.is_empty() || !config.strict.value;
    let check = (options.wants_check() && would_start).then(|| check::run(&config, options));
    Findings {
        not_checked: options.wants_check() && !would_start,
        config,
        check,
    }
}

impl Findings {
    /// Returns the settings in force. The warning about a missing service name refers to the service's program, not to
    /// this one.
    fn report(&self) -> Report {
        let mut report = self.config.report();
        let program = std::env::current_exe().ok();
        if let Some(program) = program.as_deref().and_then(Path::file_stem) {
            let this = format!("unknown_service:{}", program.display());
            for warning in &mut report.warnings {
                *warning = warning.replace(&this, "unknown_service:{program}");
            }
        }
        report
    }

    fn outcome(&self) -> Outcome {
        match &self.check {
            _ if !self.config.diagnostics.is_empty() => Outcome::Misconfigured,
            Some(check) if check.has_failed() => Outcome::CheckFailed,
            _ => Outcome::Ok,
        }
    }
}
