//! Whether the marked span has arrived in Jaeger.

use serde_json::Value;
use url::Url;

use crate::{
    options::Options,
    query::{self, NoAnswer},
    step::{Step, StepResult},
};

/// Looks for the span until it is there, or the time is over.
pub fn arrival(url: &Url, trace_id: &str, options: &Options) -> Step {
    Step::time("jaeger", url.as_str(), || {
        let found = query::eventually(options.wait, || trace(url, trace_id));
        match found {
            Ok(Some(spans)) => StepResult::Ok(format!("the span is there, in a trace of {spans}")),
            Ok(None) => lost(options),
            Err(no_answer) => unreachable(&no_answer),
        }
    })
}

/// How many spans Jaeger has of the trace. It says by a 404 of its own that it has none yet.
fn trace(url: &Url, trace_id: &str) -> Result<Option<usize>, NoAnswer> {
    match query::json(url, &["api", "traces", trace_id], &[]) {
        Ok(answer) => {
            let spans = answer["data"][0]["spans"].as_array().map_or(0, Vec::len);
            match answer["data"] {
                Value::Array(_) | Value::Null => Ok((spans > 0).then_some(spans)),
                _ => Err(NoAnswer::Strange),
            }
        }
        Err(NoAnswer::Status(404, body)) if body["errors"].is_array() => Ok(None),
        Err(other) => Err(other),
    }
}

fn lost(options: &Options) -> StepResult {
    StepResult::failed(
        format!("no such trace after {} s", options.wait.as_secs()),
        "the Collector took the span, and it was lost between the Collector and Jaeger",
        "see the Collector's log and otelcol_exporter_send_failed_spans; does its exporter point to this Jaeger \
         (JAEGER_OTLP_ENDPOINT), or does it sample?",
    )
}

fn unreachable(no_answer: &NoAnswer) -> StepResult {
    let (cause, remedy) = match no_answer {
        NoAnswer::Unreachable(_) => (
            "the Collector took the span, and Jaeger is down or elsewhere",
            "start Jaeger: the Collector keeps spans and sends them then; or correct --jaeger",
        ),
        NoAnswer::Status(..) | NoAnswer::Strange => (
            "what answers is not Jaeger's query API",
            "give --jaeger the address of its web page, such as http://localhost:16686",
        ),
    };
    StepResult::failed(no_answer.seen(), cause, remedy)
}
