//! Queries to Prometheus and Jaeger of a running stack.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::Agent;

use super::port::Port;
use super::running::Stack;

/// A series of an instant query, with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The labels, with `__name__` if the query keeps it.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

impl Sample {
    /// Returns the value of a label; empty if it is missing, which is the same for Prometheus.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// Returns the result of an instant query, a vector or a scalar.
pub fn prometheus_query(stack: &Stack, promql: &str) -> Result<Vec<Sample>, QueryError> {
    prometheus_query_at(&stack.ports().url(Port::Prometheus), promql)
}

/// Like [`prometheus_query`], for the Prometheus at `url`.
pub fn prometheus_query_at(url: &str, promql: &str) -> Result<Vec<Sample>, QueryError> {
    samples(
        promql,
        prometheus_api_at(url, "query", &[("query", promql)])?,
    )
}

/// Like [`prometheus_query_at`], at a time in seconds since 1970, with further parameters of the store.
pub fn prometheus_query_past(
    url: &str,
    promql: &str,
    time: f64,
    parameters: &[(&str, &str)],
) -> Result<Vec<Sample>, QueryError> {
    let time = time.to_string();
    let parameters = [&[("query", promql), ("time", &time)], parameters].concat();
    samples(promql, prometheus_api_at(url, "query", &parameters)?)
}

fn samples(promql: &str, data: Value) -> Result<Vec<Sample>, QueryError> {
    let samples = match data["resultType"].as_str() {
        Some("vector") => data["result"].as_array().and_then(|series| {
            let sample = |series: &Value| sample(&series["metric"], &series["value"]);
            series.iter().map(sample).collect()
        }),
        Some("scalar") => sample(&Value::Null, &data["result"]).map(|sample| vec![sample]),
        _ => None,
    };
    samples.ok_or_else(|| QueryError::Unexpected(promql.to_owned(), data))
}

/// Returns `data` of a response of Prometheus' API. `endpoint` follows `/api/v1/`.
pub fn prometheus_api(
    stack: &Stack,
    endpoint: &str,
    parameters: &[(&str, &str)],
) -> Result<Value, QueryError> {
    prometheus_api_at(&stack.ports().url(Port::Prometheus), endpoint, parameters)
}

/// Like [`prometheus_api`], for the Prometheus at `url`.
pub fn prometheus_api_at(
    url: &str,
    endpoint: &str,
    parameters: &[(&str, &str)],
) -> Result<Value, QueryError> {
    let url = format!("{url}/api/v1/{endpoint}");
    let mut answer: Value = get_json(&url, parameters)?;
    match answer["status"].as_str() {
        Some("success") => Ok(answer["data"].take()),
        _ => Err(QueryError::Unexpected(url, answer)),
    }
}

/// Returns the services with traces in Jaeger.
pub fn jaeger_services(stack: &Stack) -> Result<Vec<String>, QueryError> {
    jaeger_services_at(&stack.ports().url(Port::JaegerQuery))
}

/// Like [`jaeger_services`], for the Jaeger at `url`.
pub fn jaeger_services_at(url: &str) -> Result<Vec<String>, QueryError> {
    let answer: Value = get_json(&format!("{url}/api/services"), &[])?;
    let names = answer["data"].as_array().into_iter().flatten();
    Ok(names
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect())
}

/// Returns a trace in Jaeger's JSON (`spans`, `processes`); `None` if Jaeger does not have it.
pub fn jaeger_trace(stack: &Stack, trace_id: &str) -> Result<Option<Value>, QueryError> {
    jaeger_trace_at(&stack.ports().url(Port::JaegerQuery), trace_id)
}

/// Like [`jaeger_trace`], for the Jaeger at `url`.
pub fn jaeger_trace_at(url: &str, trace_id: &str) -> Result<Option<Value>, QueryError> {
    match get_json::<Value>(&format!("{url}/api/traces/{trace_id}"), &[]) {
        Ok(mut answer) => Ok(answer["data"].get_mut(0).map(Value::take)),
        Err(QueryError::Status(_, 404, _)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the latest traces of a service, in Jaeger's JSON.
pub fn jaeger_traces(stack: &Stack, service: &str) -> Result<Vec<Value>, QueryError> {
    jaeger_search(stack, service, &[])
}

/// Returns the latest traces of a service that match the conditions, such as `("minDuration", "100ms")`: at most 100,
/// unless there is a condition `limit`.
pub fn jaeger_search(
    stack: &Stack,
    service: &str,
    conditions: &[(&str, &str)],
) -> Result<Vec<Value>, QueryError> {
    jaeger_search_at(&stack.ports().url(Port::JaegerQuery), service, conditions)
}

/// Like [`jaeger_search`], for the Jaeger at `url`. A type with fewer fields than a trace is read faster than a [`Value`].
pub fn jaeger_search_at<T: DeserializeOwned>(
    url: &str,
    service: &str,
    conditions: &[(&str, &str)],
) -> Result<Vec<T>, QueryError> {
    let mut parameters = [&[("service", service)], conditions].concat();
    if !conditions.iter().any(|(name, _)| *name == "limit") {
        parameters.push(("limit", "100"));
    }
    let found: Found<T> = get_json(&format!("{url}/api/traces"), &parameters)?;
    Ok(found.data.unwrap_or_default())
}

#[derive(Deserialize)]
struct Found<T> {
    data: Option<Vec<T>>,
}

/// Returns whether the URL responds with 200.
pub fn is_ready(url: &str) -> bool {
    let answer = agent(Duration::from_secs(2)).get(url).call();
    answer.is_ok_and(|answer| answer.status() == 200)
}

/// Returns whether the URL responds with 200 and a text that contains `content`.
pub fn shows(url: &str, content: &str) -> bool {
    let answer = agent(Duration::from_secs(2)).get(url).call();
    answer.is_ok_and(|mut answer| {
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        answer.status() == 200 && text.contains(content)
    })
}

/// Returns whether the URL is a web page of the program. Built without web pages, Prometheus returns an error, and
/// Jaeger a placeholder.
pub(super) fn is_page(url: &str) -> bool {
    let Ok(mut answer) = agent(Duration::from_secs(5)).get(url).call() else {
        return false;
    };
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    answer.status() == 200 && !text.contains("This is not the Jaeger UI")
}

/// An error of a query.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The request failed, or the response is not JSON.
    #[error("{0}: {1}")]
    Http(String, ureq::Error),
    /// The status is not 200.
    #[error("{0}: status {1}: {2}")]
    Status(String, u16, String),
    /// The response has an unexpected structure.
    #[error("{0}: unexpected response: {1}")]
    Unexpected(String, Value),
}

/// Size limit of a response. All traces of a long test take some ten megabytes.
const LARGEST_ANSWER: u64 = 500 << 20;

fn get_json<T: DeserializeOwned>(url: &str, parameters: &[(&str, &str)]) -> Result<T, QueryError> {
    let http = |error| QueryError::Http(url.to_owned(), error);
    let mut answer = agent(Duration::from_secs(30))
        .get(url)
        .query_pairs(parameters.iter().copied())
        .call()
        .map_err(http)?;
    let status = answer.status().as_u16();
    if status != 200 {
        let text = answer.body_mut().read_to_string().map_err(http)?;
        return Err(QueryError::Status(url.to_owned(), status, text));
    }
    let body = answer.body_mut().with_config().limit(LARGEST_ANSWER);
    // Reading it byte by byte from the connection takes several times as long.
    let body = body.read_to_vec().map_err(http)?;
    serde_json::from_slice(&body).map_err(|error| http(error.into()))
}

/// Returns a client without proxy, because all addresses are on this machine.
fn agent(timeout: Duration) -> Agent {
    Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .new_agent()
}

fn sample(labels: &Value, value: &Value) -> Option<Sample> {
    let labels = labels.as_object().into_iter().flatten();
    Some(Sample {
        labels: labels
            .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect::<Option<_>>()?,
        value: value[1].as_str()?.parse().ok()?,
    })
}
