//! The state of the console, and of the telemetry.

use serde_json::{Map, Value as Json, json};

use super::{
    json::{milliseconds, now},
    problems::problems,
    state::{State, TICK},
};
use crate::metrics::naming;

impl State {
    /// Returns who this is, and what is kept.
    pub(super) fn overview(&self) -> Json {
        let resource: Map<_, _> = self
            .resource
            .iter()
            .map(|(key, value)| (key.as_str().to_owned(), value.to_string().into()))
            .collect();
        let (traces, lines, history) = (self.spans.sorted(), self.lines.sorted(), self.history());
        let metrics_bytes = history.bytes();
        let spans_bytes = traces.bytes() + self.spans.waiting_bytes() + self.thinning.bytes();
        let lines_bytes = lines.bytes() + self.lines.waiting_bytes();
        let (thinned_spans, thinned_lines) = self.thinning.thinned();
        let peers = self.peers();
        let peers = peers
            .iter()
            .map(|peer| json!({"name": peer.name, "url": peer.url()}));
        json!({
            "service": self.resource_attribute("service.name"),
            "version": self.resource_attribute("service.version"),
            "instance": self.resource_attribute("service.instance.id"),
            "resource": resource,
            "metric_prefix": naming::prefix(),
            "stage": crate::health().stage.as_str(),
            "started_at": milliseconds(self.started_at),
            "now": now(),
            "tick_ms": TICK.as_millis() as u64,
            "ticks": history.frames.len(),
            "memory": {
                "limit": self.settings.memory_limit,
                "used": metrics_bytes + spans_bytes + lines_bytes,
                "metrics": metrics_bytes,
                "spans": spans_bytes,
                "logs": lines_bytes,
            },
            "kept": {
                "spans": traces.spans(),
                "traces": traces.by_id.len(),
                "log_lines": lines.len(),
                "series": history.series.len(),
            },
            "not_kept": {
                "spans": self.spans.not_kept(),
                "log_lines": self.lines.not_kept(),
                "series": history.series_not_kept(),
            },
            "thinned": {
                "kept_share": self.thinning.kept_share(),
                "spans": thinned_spans,
                "log_lines": thinned_lines,
            },
            "capture": self.capture(),
            "peers": peers.collect::<Vec<_>>(),
        })
    }

    pub(super) fn capture(&self) -> Json {
        json!({"all_spans_until": self.captures_until()})
    }

    /// Returns the health, the settings in force, and what is wrong.
    pub(super) fn telemetry(&self) -> Json {
        let health = crate::health();
        let lines = self.report.lines.iter().map(|line| {
            json!({
                "name": line.name,
                "value": line.value,
                "source": line.source.to_string(),
            })
        });
        json!({
            "health": health.to_json(),
            "configuration": lines.collect::<Vec<_>>(),
            "problems": problems(self, &health),
        })
    }
}
