//! `rustok-telemetry-doctor`: what the environment makes of the telemetry of a service, and whether it arrives.
//!
//! Reads the variables as [`rustok_telemetry::init()`] does, prints each setting with its source and everything that is
//! wrong; with `--check` it also sends a marked span, metric and log record the way a service would, and looks where
//! they get to. `docs/doctor.md` tells more.
//!
//! Where to read on: `options.rs` is the command line; `check.rs` is the journey, hop by hop; `diagnosis.rs` finds the
//! cause of a refusal; `text.rs` and `json.rs` print.
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
mod prometheus;
mod proxy;
mod query;
mod speaks;
mod step;
mod text;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use rustok_telemetry::config::TelemetryConfig;

use self::{
    check::Check,
    options::{Options, Parsed},
};

/// What was found: the configuration, and the live check if there was one.
struct Findings {
    config: TelemetryConfig,
    check: Option<Check>,
    /// A check was wanted, and a service would not start.
    not_checked: bool,
}

/// Exit statuses, numbered as in BSD's `sysexits.h` where that has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Ok = 0,
    CheckFailed = 1,
    Misconfigured = 78,
}

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)) {
        Ok(Parsed::Run(options)) => {
            let findings = examine(&options);
            say(&match options.json {
                true => json::render(&findings),
                false => text::render(&findings, &options),
            });
            ExitCode::from(findings.outcome() as u8)
        }
        Ok(Parsed::Say(text)) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(mistake) => {
            // As above: without a terminal there is nobody to tell.
            let _ = writeln!(io::stderr(), "rustok-telemetry-doctor: {mistake}");
            ExitCode::from(2)
        }
    }
}

fn examine(options: &Options) -> Findings {
    let config = TelemetryConfig::from_env_tolerant();
    let would_start = config.problems.is_empty() || !*config.strict;
    let check = (options.check && would_start).then(|| check::run(&config, options));
    Findings {
        config,
        check,
        not_checked: options.check && !would_start,
    }
}

impl Findings {
    fn outcome(&self) -> Outcome {
        match &self.check {
            _ if !self.config.problems.is_empty() => Outcome::Misconfigured,
            Some(check) if check.has_failed() => Outcome::CheckFailed,
            _ => Outcome::Ok,
        }
    }
}

/// Writes to standard output. A reader that has gone, such as `head`, is no error.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
