//! Asks Jaeger and Prometheus over HTTP.

use std::{
    error::Error,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
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
    let (status, body) = get(&url).map_err(NoAnswer::Unreachable)?;
    let body = serde_json::from_slice(&body);
    match status {
        200 => body.map_err(|_| NoAnswer::Strange),
        status => Err(NoAnswer::Status(status, body.unwrap_or_default())),
    }
}

/// The status and the body of an answer; else why there is none.
fn get(url: &Url) -> Result<(u16, Bytes), String> {
    if url.scheme() != "http" {
        return Err(format!(
            "{}:// is not spoken here, only http://",
            url.scheme()
        ));
    }
    let asked = async {
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let uri = url.as_str().parse().map_err(|error| innermost(&error))?;
        let answer = client.get(uri).await.map_err(|error| innermost(&error))?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await;
        let body = body.map_err(|error| innermost(&error))?;
        Ok((status, body.to_bytes()))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let limited = tokio::time::timeout(TIMEOUT, asked).await;
        limited.unwrap_or_else(|_| Err(format!("no answer within {} s", TIMEOUT.as_secs())))
    })
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
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
