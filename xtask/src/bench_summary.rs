//! The summary at the top of `docs/benchmarks.md`: ratios of the tables below it.

/// The row of this crate in most tables.
const OURS: &str = "**rustok-telemetry**";
const COUNTER: &str = "### Counter, 2 labels as `&str`";
const HISTOGRAM: &str = "### Histogram, 2 labels as `&str`";
const TEXT: &str = "### Text of 10,000 counter series";
const SPANS: &str = "### Spans with one field of text";
const FOUR: &str = "### A request with three more spans";
const REQUESTS: &str = "### A request to a service";
const SERVICE: &str = "### `GET` of one product";
const MEMORY: &str = "### Memory of a live series";

/// A line of the summary: what is measured, the table's heading, the column's heading, our row, and the rows of the
/// peers.
type Line = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

const LINES: [Line; 13] = [
    (
        "record of a counter, 100 series, one thread",
        COUNTER,
        "100 series, 1 thread",
        OURS,
        &[
            "OpenTelemetry, `add`, one reader",
            "metrics, `counter!` and Prometheus recorder",
            "prometheus-client, `Family`",
            "prometheus, `with_label_values`",
            "OpenTelemetry, bound, handle known",
        ],
    ),
    (
        "record of a counter, 400 series with UUIDs, one thread",
        COUNTER,
        "400 series of long labels, 1 thread",
        OURS,
        &["prometheus, `with_label_values`"],
    ),
    (
        "record of a histogram, 100 series, two threads",
        HISTOGRAM,
        "100 series, 2 threads",
        OURS,
        &[
            "prometheus, `with_label_values`",
            "OpenTelemetry, bound, handle known",
        ],
    ),
    (
        "Prometheus text of 11,000 series",
        TEXT,
        "time",
        OURS,
        &[
            "opentelemetry-prometheus, `TextEncoder`",
            "prometheus-client",
        ],
    ),
    (
        "a sampled span, with span metrics and log correlation",
        SPANS,
        "ns a span",
        "**rustok-telemetry**, everything, sampled",
        &[
            "tracing-opentelemetry, defaults, sampled",
            "OpenTelemetry's tracer without `tracing`, sampled",
            "fastrace, a root",
        ],
    ),
    (
        "a span that is not sampled",
        SPANS,
        "ns a span",
        "**rustok-telemetry**, everything, not sampled",
        &["tracing-opentelemetry, defaults, not sampled"],
    ),
    (
        "processor time of a sampled span, exported",
        SPANS,
        "ns of the process a span",
        "**rustok-telemetry**, everything, sampled",
        &["tracing-opentelemetry, defaults, sampled"],
    ),
    (
        "a sampled request",
        REQUESTS,
        "ns a request",
        "**rustok-telemetry**, everything, sampled",
        &[
            "tower-http's `TraceLayer`, tracing-opentelemetry, sampled",
            "opentelemetry-instrumentation-tower, sampled",
        ],
    ),
    (
        "processor time of a sampled request with four spans, exported",
        FOUR,
        "ns of the process a request",
        "**rustok-telemetry**, everything, sampled",
        &["axum-tracing-opentelemetry, sampled"],
    ),
    (
        "a request with four spans that are not sampled",
        FOUR,
        "ns of the process a request",
        "**rustok-telemetry**, everything, not sampled",
        &["axum-tracing-opentelemetry, not sampled"],
    ),
    (
        "processor time of a whole service, all traces",
        SERVICE,
        "µs of the server's processors a request",
        "**rustok-telemetry**, all traces",
        &["telemetry off"],
    ),
    (
        "memory of a counter's series",
        MEMORY,
        "counter, 10,000 series",
        OURS,
        &["OpenTelemetry, one reader", "prometheus-client"],
    ),
    (
        "memory of a histogram's series",
        MEMORY,
        "histogram of 12 buckets, 1,000 series",
        OURS,
        &["OpenTelemetry, one reader", "prometheus"],
    ),
];

/// Returns the section `Summary` for a page with these tables.
///
/// # Errors
///
/// Names the table, the column or the row that is missing.
pub fn of(tables: &str) -> Result<String, String> {
    let mut summary = String::from(
        "## Summary\n\nThis crate's figure divided by the other's: below 1, this crate costs less.\n\n\
         | | compared with | ratio |\n|---|---|---:|\n",
    );
    for (what, heading, column, ours, peers) in LINES {
        let table = Table::find(tables, heading)?;
        let ours = table.figure(ours, column)?;
        for peer in peers {
            let ratio = rounded(ours / table.figure(peer, column)?);
            summary.push_str(&format!("| {what} | {peer} | {ratio} |\n"));
        }
    }
    Ok(summary)
}

/// Returns the page with its summary replaced, or inserted before the first section.
///
/// # Errors
///
/// As [`of`], or that there is no section.
pub fn refresh(page: &str) -> Result<String, String> {
    let (before, rest) = page.split_once("\n## ").ok_or("no section")?;
    let tables = match rest.strip_prefix("Summary\n") {
        Some(rest) => rest.split_once("\n## ").ok_or("no tables")?.1,
        None => rest,
    };
    Ok(format!("{before}\n{}\n## {tables}", of(tables)?))
}

/// Two significant digits.
fn rounded(ratio: f64) -> String {
    if ratio < 0.1 {
        format!("{ratio:.3}")
    } else if ratio < 1.0 {
        format!("{ratio:.2}")
    } else {
        format!("{ratio:.1}")
    }
}

/// A table of the page; the first one with its heading.
struct Table<'a> {
    columns: Vec<&'a str>,
    rows: Vec<Vec<&'a str>>,
}

impl<'a> Table<'a> {
    fn find(page: &'a str, heading: &str) -> Result<Self, String> {
        let missing = || format!("no table {heading}");
        let (_, rest) = page.split_once(heading).ok_or_else(missing)?;
        let rows = rest.lines().skip_while(|line| !line.starts_with('|'));
        let mut rows = rows
            .take_while(|line| line.starts_with('|'))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect());
        let columns = rows.next().ok_or_else(missing)?;
        Ok(Self {
            columns,
            rows: rows.skip(1).collect(),
        })
    }

    /// The number at the beginning of a cell.
    fn figure(&self, row: &str, column: &str) -> Result<f64, String> {
        let at = self.columns.iter().position(|name| *name == column);
        let at = at.ok_or_else(|| format!("no column {column}"))?;
        let cells = self.rows.iter().find(|cells| cells[0] == row);
        let cell = cells.and_then(|cells| cells.get(at));
        let text = cell.ok_or_else(|| format!("no row {row}"))?;
        let number = text.split(' ').next().unwrap_or_default();
        number
            .parse()
            .map_err(|_| format!("{row}, {column}: {text}"))
    }
}
