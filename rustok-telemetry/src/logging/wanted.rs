//! What is logged: the directives of `RUST_LOG`.

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering},
};

use tracing_subscriber::EnvFilter;

use crate::{InitError, config::LogLevel};

const VARIABLE: &str = "RUST_LOG";
const DEFAULT: &str = "info";

/// What logs about telemetry: this crate, and those of OpenTelemetry.
const OWN: [&str; 2] = ["rustok_telemetry", "opentelemetry"];

/// Whether directives that are wrong count as none.
static TOLERANT: AtomicBool = AtomicBool::new(false);

/// Lets directives that are wrong count as none from now on; somebody else says that they are wrong.
pub(crate) fn tolerate_wrong_directives() {
    TOLERANT.store(true, Ordering::Relaxed);
}

/// The directives, if they are right.
pub(crate) fn check_directives(text: &str) -> Result<String, String> {
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The directives of the environment, or else the default ones. `own` is the level of what the SDK logs about itself,
/// where `RUST_LOG` does not name it.
pub(super) fn directives(own: Option<LogLevel>) -> Result<String, InitError> {
    let tolerant = TOLERANT.load(Ordering::Relaxed);
    let mut directives = match env::var(VARIABLE) {
        Ok(directives) if directives.trim().is_empty() => DEFAULT.to_owned(),
        Ok(directives) if tolerant && check_directives(&directives).is_err() => DEFAULT.to_owned(),
        Ok(directives) => directives,
        Err(env::VarError::NotPresent) => DEFAULT.to_owned(),
        Err(env::VarError::NotUnicode(_)) if tolerant => DEFAULT.to_owned(),
        Err(env::VarError::NotUnicode(_)) => {
            return Err(InitError::Logging(format!("{VARIABLE} is not valid UTF-8")));
        }
    };
    let unnamed = OWN.map(|target| (!directives.contains(target)).then_some(target));
    if let Some(level) = own {
        for target in unnamed.into_iter().flatten() {
            directives.push_str(&format!(",{target}={level}"));
        }
    }
    Ok(directives)
}

/// The filter for these directives.
pub(super) fn filter(directives: &str) -> Result<EnvFilter, InitError> {
    EnvFilter::builder().parse(directives).map_err(|error| {
        InitError::Logging(format!(
            "{VARIABLE}={directives}: {error}. Allowed: levels and directives, such as info or warn,my_crate=debug"
        ))
    })
}
