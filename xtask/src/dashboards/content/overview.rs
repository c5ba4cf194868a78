//! The overview: is the service all right? The seven panels of the user's guide.

use super::http::Http;
use crate::dashboards::dashboard::Dashboard;
use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit};
use crate::dashboards::query::{Range, Scope};
use crate::dashboards::variable::{METRICS, TRACES, instance, job};

const REQUESTS: &str = "rustok_http_requests_total";
const SCOPE: Scope = Scope::of(&[("job", "job"), ("instance", "instance")]);

pub(crate) fn dashboard() -> Dashboard {
    Dashboard {
        path: "grafana/dashboards/rustok-overview.json",
        uid: "rustok-overview",
        title: "RusToK Overview",
        description: "Is the service all right? Traffic, latency and errors of its HTTP requests.",
        from: "now-1h",
        refresh: "30s",
        variables: vec![METRICS, TRACES, job(REQUESTS), instance(REQUESTS)],
        items: panels(&Http::new(SCOPE))
            .into_iter()
            .map(Into::into)
            .collect(),
    }
}

fn panels(http: &Http) -> [Panel; 7] {
    [
        Panel::new(
            1,
            "HTTP request rate",
            Look::TimeSeries,
            Unit::RequestsPerSecond,
            "Requests in a second, without those of health checks. If it drops while nothing was deployed, look at \
             what is in front of the service; if it rises, watch latency and active connections.",
        )
        .query("{{job}}", http.rate(["job"])),
        Panel::new(
            2,
            "Request latency (P50, P95, P99)",
            Look::TimeSeries,
            Unit::Seconds,
            "Time from a request's arrival until its response has been sent. If P95 is over the line, open the slow \
             traces of the service and see which span takes the time; if only P99 is, look for single endpoints.",
        )
        .query("P50 {{job}}", http.latency(0.5))
        .query("P95 {{job}}", http.latency(0.95))
        .query("P99 {{job}}", http.latency(0.99))
        .watched_by("SlowRequestLatency")
        .slow_traces()
        .exemplars(),
        Panel::new(
            3,
            "Error rate",
            Look::TimeSeries,
            Unit::Share,
            "Share of requests that the server failed to answer: 5xx, a panic, or a body that broke off. Requests \
             that the client gave up do not count. Compare with the deployments, then open the failed traces.",
        )
        .query("{{job}}", http.error_share())
        .watched_by("HighErrorRate")
        .traces(Traces::Failed),
        Panel::new(
            4,
            "Active connections",
            Look::TimeSeries,
            Unit::Count,
            "Requests that are being served. If it rises while the request rate does not, something that the requests \
             wait for has become slow: look at the database and the circuit breakers.",
        )
        .query(
            "{{job}}",
            SCOPE
                .gauge("rustok_http_active_connections")
                .value()
                .sum_by(["job"]),
        ),
        Panel::new(
            5,
            "Top endpoints",
            Look::BarGauge,
            Unit::RequestsPerSecond,
            "The ten endpoints with the most requests. An endpoint that is new here is a caller that has changed; \
             `unmatched` are requests for paths that do not exist.",
        )
        .query(
            "{{method}} {{endpoint}}",
            SCOPE
                .counter("rustok_http_requests_by_endpoint")
                .rate(Range::Rate)
                .sum_by(["job", "method", "endpoint"])
                .top(10),
        ),
        Panel::new(
            6,
            "Status code distribution",
            Look::PieChart,
            Unit::Count,
            "Requests by status over the time that is shown. Many 4xx: a caller sends what is not allowed. \
             `client_closed`: callers that do not wait, so look at latency. `panic`: a bug, so open the failed traces.",
        )
        .query("{{status}} {{job}}", http.count(Range::Shown, ["job", "status"])),
        Panel::new(
            7,
            "Response times heatmap",
            Look::Heatmap,
            Unit::Seconds,
            "How many requests took how long. Two bands are two kinds of requests, such as hits and misses of a \
             cache; a band that moves up is a dependency that gets slower. Quantiles hide both.",
        )
        .query("{{le}}", http.buckets())
        .watched_by("SlowRequestLatency")
        .slow_traces()
        .exemplars(),
    ]
}
