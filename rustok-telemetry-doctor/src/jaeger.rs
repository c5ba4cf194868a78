//! Looks for the marked span in Jaeger.

use serde_json::Value;
use url::Url;

use crate::{
    options::Options,
    query::{Api, QueryError, eventually},
    step::{Step, StepResult},
};

/// Looks for the span until Jaeger has it or the time is over.
pub fn arrival(url: &Url, trace_id: &str, options: &Options) -> Step {
    Step::time("jaeger", url.as_str(), || {
        let api = Api::new(url);
        match eventually(options.wait, || spans(&api, trace_id)) {
            Ok(Some(spans)) => StepResult::Ok(format!("found, in a trace of {spans} spans")),
            Ok(None) => StepResult::failed(
                format!("no such trace after {} s", options.wait.as_secs()),
                "the Collector accepted the span, and it did not arrive in Jaeger",
                "see the Collector's log and otelcol_exporter_send_failed_spans; check that its exporter points to this \
                 Jaeger (JAEGER_OTLP_ENDPOINT), and whether it samples",
            ),
            Err(error) => failed(&error),
        }
    })
}

/// Returns the number of spans that Jaeger stores for the trace. Jaeger answers 404 for an unknown trace.
fn spans(api: &Api<'_>, trace_id: &str) -> Result<Option<usize>, QueryError> {
    match api.get(&["api", "traces", trace_id], &[]) {
        Ok(answer) => {
            let spans = answer["data"][0]["spans"].as_array().map_or(0, Vec::len);
            match answer["data"] {
                Value::Array(_) | Value::Null => Ok((spans > 0).then_some(spans)),
                _ => Err(QueryError::Unexpected),
            }
        }
        Err(QueryError::Status(404, body)) if body["errors"].is_array() => Ok(None),
        Err(other) => Err(other),
    }
}

fn failed(error: &QueryError) -> StepResult {
    let (cause, remedy) = match error {
        QueryError::Unreachable(_) => (
            "the Collector accepted the span, and Jaeger is down or has another address",
            "start Jaeger (the Collector retries for a while), or correct --jaeger",
        ),
        QueryError::Status(..) | QueryError::Unexpected => (
            "the answer is not from Jaeger's query API",
            "set --jaeger to the address of Jaeger's UI, such as http://localhost:16686",
        ),
    };
    StepResult::failed(error.to_string(), cause, remedy)
}
