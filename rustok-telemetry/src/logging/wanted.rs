//! What is logged: the directives of `RUST_LOG`.

use std::env;

use tracing_subscriber::EnvFilter;

use crate::InitError;

const VARIABLE: &str = "RUST_LOG";
const DEFAULT: &str = "info";

/// The directives of the environment, or else the default ones.
pub(super) fn directives() -> Result<String, InitError> {
    match env::var(VARIABLE) {
        Ok(directives) if !directives.trim().is_empty() => Ok(directives),
        Ok(_) | Err(env::VarError::NotPresent) => Ok(DEFAULT.to_owned()),
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
