//! What is logged: the directives of `RUST_LOG`.

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering},
};

use tracing_subscriber::EnvFilter;

use crate::InitError;

const VARIABLE: &str = "RUST_LOG";
const DEFAULT: &str = "info";

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

/// The directives of the environment, or else the default ones.
pub(super) fn directives() -> Result<String, InitError> {
    let tolerant = TOLERANT.load(Ordering::Relaxed);
    match env::var(VARIABLE) {
        Ok(directives) if directives.trim().is_empty() => Ok(DEFAULT.to_owned()),
        Ok(directives) if tolerant && check_directives(&directives).is_err() => {
            Ok(DEFAULT.to_owned())
        }
        Ok(directives) => Ok(directives),
        Err(env::VarError::NotPresent) => Ok(DEFAULT.to_owned()),
        Err(env::VarError::NotUnicode(_)) if tolerant => Ok(DEFAULT.to_owned()),
        Err(env::VarError::NotUnicode(_)) => {
            Err(InitError::Logging(format!("{VARIABLE} is not valid UTF-8")))
        }
    }
}

/// The filter for these directives.
pub(super) fn filter(directives: &str) -> Result<EnvFilter, InitError> {
    EnvFilter::builder().parse(directives).map_err(|error| {
        InitError::Logging(format!(
            "{VARIABLE}={directives}: {error}. Allowed: levels and directives, such as info or warn,my_crate=debug"
        ))
    })
}
