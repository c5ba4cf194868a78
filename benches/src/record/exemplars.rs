//! What exemplars add to a record: outside of a span, in a span that is not sampled, and in a sampled one.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};

use super::{Kind, Series, THREADS, rustok};
use crate::{
    contender::Contender,
    label_sets::LabelSets,
    rounds::{Effort, measure},
    table::{Table, with_ratio},
};

const ROWS: [(&str, Option<TraceFlags>); 3] = [
    ("**rustok-telemetry**, outside of a span", None),
    (
        "**rustok-telemetry**, in a span that is not sampled",
        Some(TraceFlags::NOT_SAMPLED),
    ),
    (
        "**rustok-telemetry**, in a sampled span",
        Some(TraceFlags::SAMPLED),
    ),
];

/// Measures counters and histograms with 100 series, and prints a table. `filter` is that of the process.
pub(crate) fn report(effort: Effort, filter: &str) {
    let title =
        format!("`OTEL_METRICS_EXEMPLAR_FILTER={filter}`: ns a record (times the first row)");
    let mut table = Table::new(title, ROWS.map(|(name, _)| name).to_vec());
    let sets = LabelSets::new(Series::Hundred.shape());
    let mut allocations = vec![0.0; ROWS.len()];
    for kind in [Kind::Counter, Kind::Histogram] {
        let contenders: Vec<_> = ROWS
            .map(|(name, flags)| contender(kind, name, flags))
            .into();
        contenders.iter().for_each(|one| one.record_each(&sets));
        for threads in THREADS {
            let outcomes = measure(&contenders, &sets, threads, effort);
            let first = outcomes[0].nanoseconds;
            let plural = if threads == 1 { "" } else { "s" };
            let heading = format!("{kind:?}, {threads} thread{plural}");
            let cells = outcomes
                .iter()
                .map(|one| with_ratio(one.nanoseconds, first));
            table.column(heading, cells.collect());
            for (sum, one) in allocations.iter_mut().zip(&outcomes) {
                *sum += one.allocations;
            }
        }
    }
    let allocations = allocations.iter().map(|sum| format!("{sum:.0}"));
    table.column("allocations", allocations.collect());
    table.print();
}

/// This crate's contender, which records within a span if there are flags.
fn contender(kind: Kind, name: &'static str, flags: Option<TraceFlags>) -> Contender {
    let context = flags.map_or_else(Context::new, |flags| {
        let (trace, span) = (TraceId::from(0x5eed_u128), SpanId::from(0x5eed_u64));
        let span = SpanContext::new(trace, span, flags, false, TraceState::NONE);
        Context::new().with_remote_span_context(span)
    });
    let contender = rustok::contender(kind, Series::Hundred);
    contender.around(name, move |record| {
        let _current = context.clone().attach();
        record();
    })
}
