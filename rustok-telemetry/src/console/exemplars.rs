//! The exemplars of a metric, as JSON: recorded values with the trace of each.

use std::{cmp::Reverse, collections::BTreeMap};

use opentelemetry::{SpanId, TraceId};
use serde_json::{Value as Json, json};

use super::{history::History, json::of_nanoseconds, metric_values::labels};
use crate::metrics::{registered, store::exemplars::SpanIds};

/// Exemplars in one answer.
const SHOWN: usize = 50;

impl History {
    /// Returns the latest exemplars of a metric that have a span, the newest first.
    pub(super) fn exemplars(&self, name: &str) -> Json {
        let (Some(known), Some(metric)) = (self.metrics.get(name), registered::by_name(name))
        else {
            return json!([]);
        };
        let mut found = Vec::new();
        for key in known.series.keys() {
            let labels: BTreeMap<_, _> = labels(key).collect();
            let all = registered::exemplars(metric, |name| labels.get(name).copied());
            let all = all.into_iter().map(|(_, exemplar)| exemplar);
            let of_spans = all.filter(|exemplar| exemplar.span != SpanIds::NONE);
            found.extend(of_spans.map(|exemplar| (exemplar, key)));
        }
        found.sort_by_key(|(exemplar, _)| Reverse(exemplar.time));
        let shown = found.into_iter().take(SHOWN).map(|(exemplar, key)| {
            json!({
                "labels": labels(key).collect::<BTreeMap<_, _>>(),
                "value": exemplar.value,
                "time": of_nanoseconds(exemplar.time),
                "trace_id": TraceId::from(exemplar.span.trace).to_string(),
                "span_id": SpanId::from(exemplar.span.span).to_string(),
            })
        });
        shown.collect()
    }
}
