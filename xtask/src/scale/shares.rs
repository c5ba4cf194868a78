//! Which traces the gateways keep: all with errors, all slow ones, and shares of the others.

use std::fmt;
use std::time::Duration;

use super::kept::Spans;
use super::tiers::{Tiers, WAIT};
use super::traces::{Kind, OPERATION, TENANT, Trace};
use super::{Error, eventually};

/// What is sent, and the percentage of it that has to be kept.
const SENT: [(Kind, usize, f64); 5] = [
    (Kind::Error, 200, 100.0),
    (Kind::Slow, 200, 100.0),
    (Kind::Tenant, 600, 60.0),
    (Kind::Operation, 600, 5.0),
    (Kind::Rest, 2400, 20.0),
];

/// The variables of the gateways with these shares.
pub const VARIABLES: [(&str, &str); 5] = [
    ("SAMPLING_TENANTS", TENANT_LIST),
    ("SAMPLING_TENANTS_PERCENT", "60"),
    ("SAMPLING_OPERATIONS", OPERATION_PATTERN),
    ("SAMPLING_OPERATIONS_PERCENT", "5"),
    ("SAMPLING_PERCENT", "20"),
];
const TENANT_LIST: &str = "[initech, acme]";
const OPERATION_PATTERN: &str = "GET /(ping|health)";

/// Standard deviations by which a share may differ.
const SIGMAS: f64 = 3.0;

/// The traces of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// Their kind.
    pub kind: Kind,
    /// How many were sent.
    pub sent: usize,
    /// How many are in Jaeger.
    pub kept: usize,
    /// The percentage that has to be kept.
    pub percent: f64,
}

impl Share {
    /// Returns the standard deviation of `kept`.
    pub fn deviation(&self) -> f64 {
        let share = self.percent / 100.0;
        (self.sent as f64 * share * (1.0 - share)).sqrt()
    }

    fn is_right(&self) -> bool {
        let expected = self.sent as f64 * self.percent / 100.0;
        (self.kept as f64 - expected).abs() <= SIGMAS * self.deviation()
    }
}

/// What became of the traces.
#[derive(Debug, Clone)]
pub struct Shares {
    /// One for each kind.
    pub rows: Vec<Share>,
    /// Traces that each gateway kept.
    pub by_gateway: [usize; 2],
    /// Traces of which both gateways kept spans.
    pub divided: usize,
    /// Traces of which spans are missing in Jaeger.
    pub incomplete: usize,
}

impl Shares {
    /// Returns what is wrong.
    pub fn problems(&self) -> Vec<String> {
        let wrong = self.rows.iter().filter(|row| !row.is_right());
        let mut problems: Vec<_> = wrong
            .map(|row| format!("the share is wrong: {row:?}"))
            .collect();
        if self.divided > 0 || self.incomplete > 0 {
            problems.push(format!(
                "{} traces divided, {} incomplete",
                self.divided, self.incomplete
            ));
        }
        let kept: usize = self.by_gateway.iter().sum();
        if self.by_gateway.iter().any(|&traces| traces < kept / 4) {
            problems.push(format!(
                "one gateway has nearly all traces: {:?}",
                self.by_gateway
            ));
        }
        problems
    }
}

/// Sends traces of every kind, and counts those that are kept.
pub fn run(tiers: &Tiers, random: &mut fastrand::Rng) -> Result<Shares, Error> {
    debug_assert!(TENANT_LIST.contains(TENANT) && OPERATION.ends_with("/ping"));
    let kinds = SENT.iter();
    let mut sent: Vec<_> = kinds
        .flat_map(|&(kind, count, _)| Trace::many(kind, count, random))
        .collect();
    random.shuffle(&mut sent);
    tiers.send(&sent)?;
    let (kept, stored) = settled(tiers, sent.len())?;
    let rows = SENT.map(|(kind, sent_of_it, percent)| {
        let of_it = sent.iter().filter(|trace| trace.kind == kind);
        let kept = of_it.filter(|trace| stored.of(trace) > 0).count();
        Share {
            kind,
            sent: sent_of_it,
            kept,
            percent,
        }
    });
    let [first, second] = &kept;
    let divided = |trace: &&Trace| first.of(trace) > 0 && second.of(trace) > 0;
    let incomplete = |trace: &&Trace| stored.of(trace) > 0 && !stored.has_all_of(trace);
    Ok(Shares {
        rows: rows.to_vec(),
        by_gateway: [first.traces(), second.traces()],
        divided: sent.iter().filter(divided).count(),
        incomplete: sent.iter().filter(incomplete).count(),
    })
}

/// Waits until the gateways have made this many decisions since their start, and everything that they kept is in Jaeger.
/// Returns the spans that each kept, and those in Jaeger.
pub(super) fn settled(tiers: &Tiers, expected: usize) -> Result<([Spans; 2], Spans), Error> {
    let mut sampled = 0;
    eventually(WAIT + Duration::from_secs(30), || {
        let decided = decisions(tiers, &[])?;
        sampled = decisions(tiers, &["sampled=\"true\""])?;
        match decided >= expected {
            true => Ok(()),
            false => Err(format!("{decided} of {expected} decisions are made").into()),
        }
    })?;
    eventually(Duration::from_secs(30), || {
        let (kept, stored) = (tiers.kept()?, tiers.stored()?);
        // The last ones wait for their batch.
        let traces: usize = kept.iter().map(Spans::traces).sum();
        if traces < sampled {
            return Err(format!("{traces} of {sampled} sampled traces left the gateways").into());
        }
        let of_gateways: u64 = kept.iter().map(Spans::count).sum();
        match stored.count() >= of_gateways {
            true => Ok((kept, stored)),
            false => Err(format!("{} of {of_gateways} spans are in Jaeger", stored.count()).into()),
        }
    })
}

/// Returns how many decisions the gateways have made since their start.
pub(super) fn decisions(tiers: &Tiers, labels: &[&str]) -> Result<usize, Error> {
    let name = "otelcol_processor_tail_sampling_global_count_traces_sampled_total";
    let of_gateways = tiers.gateways.iter();
    let of_gateways = of_gateways.map(|gateway| gateway.metric(name, labels));
    Ok(of_gateways.sum::<Result<f64, _>>()? as usize)
}

/// A table in Markdown.
impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("| traces | sent | kept | share set | share kept | 3 σ |\n")?;
        f.write_str("|---|---:|---:|---:|---:|---:|\n")?;
        for row in &self.rows {
            let name = match row.kind {
                Kind::Error => "with an error",
                Kind::Slow | Kind::Long => "slow",
                Kind::Tenant => "of a tenant with a rate",
                Kind::Operation => "of an operation with a rate",
                Kind::Rest => "others",
            };
            let (sent, kept, percent) = (row.sent, row.kept, row.percent);
            let [share, bound] =
                [kept as f64, SIGMAS * row.deviation()].map(|traces| 100.0 * traces / sent as f64);
            writeln!(
                f,
                "| {name} | {sent} | {kept} | {percent} % | {share:.1} % | {bound:.1} % |"
            )?;
        }
        let [first, second] = self.by_gateway;
        write!(
            f,
            "\nThe gateways kept {first} and {second} traces. {} were divided between them, {} are incomplete.\n",
            self.divided, self.incomplete
        )
    }
}
