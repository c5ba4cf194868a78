//! Asks Jaeger and Prometheus over HTTP.

use std::{
    error::Error,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use url::Url;

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait between two questions.
const PAUSE: Duration = Duration::from_millis(250);

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// The program cannot be reached.
    Unreachable(String),
    /// It answers with this status, and this JSON if it is any.
    Status(u16, Value),
    /// It answers something that it would not.
    Strange,
}

impl NoAnswer {
    /// What was seen.
    pub fn seen(&self) -> String {
        match self {
            Self::Unreachable(why) => why.clone(),
            Self::Status(status, _) => format!("it answers with the status {status}"),
            Self::Strange => "it answers with something else than JSON".to_owned(),
        }
    }
}

/// The JSON at `path` below `base`.
pub fn json(base: &Url, path: &[&str], parameters: &[(&str, &str)]) -> Result<Value, NoAnswer> {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    let unreachable = |error: reqwest::Error| NoAnswer::Unreachable(innermost(&error));
    let client = reqwest::blocking::Client::builder()
        .timeout(TIMEOUT)
        .build();
    let answer = client
        .and_then(|client| client.get(url).send())
        .map_err(unreachable)?;
    match answer.status().as_u16() {
        200 => {
            let text = answer.text().map_err(unreachable)?;
            serde_json::from_str(&text).map_err(|_| NoAnswer::Strange)
        }
        status => {
            let body = answer.text().unwrap_or_default();
            Err(NoAnswer::Status(
                status,
                serde_json::from_str(&body).unwrap_or_default(),
            ))
        }
    }
}

/// Asks until something comes, the program cannot be asked, or `wait` is over.
pub fn eventually<T>(
    wait: Duration,
    mut ask: impl FnMut() -> Result<Option<T>, NoAnswer>,
) -> Result<Option<T>, NoAnswer> {
    let started = Instant::now();
    loop {
        match ask()? {
            None if started.elapsed() < wait => thread::sleep(PAUSE),
            found => return Ok(found),
        }
    }
}

/// The last of the causes, which says most and holds no URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
