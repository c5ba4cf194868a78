//! What OpenMetrics 1.0.0 has beyond the Prometheus text: families whose names lack the suffixes of their samples, units,
//! and exemplars.
//!
//! Names of samples stay as declared. A counter without `_total` has therefore the type `unknown`: samples of a `counter`
//! must end in `_total`.

use std::fmt::Write;

use super::{families::Candidate, writer::Head};
use crate::metrics::{
    snapshot::Origin,
    store::exemplars::{Exemplar, SpanIds},
};

/// Returns the head of a family.
pub(super) fn head<'text>(first: &'text Candidate<'_>, all: &[Candidate<'_>]) -> Head<'text> {
    let name = &*first.name;
    let is_taken = |name: &str| {
        let found = all.binary_search_by(|candidate| (*candidate.name).cmp(name));
        found.is_ok()
    };
    let without = |suffix| {
        let family = name.strip_suffix(suffix).filter(|name| !name.is_empty())?;
        (!is_taken(family) && !is_taken(&format!("{family}_created"))).then_some(family)
    };
    let (name, kind) = match (first.metric.kind.prometheus_type(), first.metric.origin) {
        ("counter", _) => match without("_total") {
            Some(family) => (family, "counter"),
            None => (name, "unknown"),
        },
        (_, Origin::Resource) => match without("_info") {
            Some(family) => (family, "info"),
            None => (name, "gauge"),
        },
        (kind, _) => (name, kind),
    };
    let unit = match first.metric.unit {
        "s" => "seconds",
        "By" => "bytes",
        _ => "",
    };
    let ends_in_unit = name
        .strip_suffix(unit)
        .is_some_and(|rest| rest.ends_with('_'));
    Head {
        name,
        help: first.metric.help,
        kind,
        unit: if ends_in_unit { unit } else { "" },
    }
}

/// Appends an exemplar to a sample. Its label set has 63 characters, of 128 that are allowed.
pub(super) fn push_exemplar(text: &mut String, exemplar: &Exemplar) {
    let Exemplar { span, value, time } = *exemplar;
    let (seconds, nanoseconds) = (time / NANOSECONDS, time % NANOSECONDS);
    // Writing to a `String` does not fail.
    let _ = match span {
        SpanIds::NONE => write!(text, " # {{}}"),
        SpanIds { trace, span } => {
            write!(
                text,
                " # {{trace_id=\"{trace:032x}\",span_id=\"{span:016x}\"}}"
            )
        }
    };
    let _ = write!(text, " {value:?} {seconds}.{nanoseconds:09}");
}

const NANOSECONDS: u64 = 1_000_000_000;
