//! What recording one value costs: a counter, a gauge and a histogram, with few and with many series.

pub(crate) mod exemplars;
mod floor;
mod metrics_rs;
pub(crate) mod opentelemetry;
pub(crate) mod prometheus;
pub(crate) mod prometheus_client;
mod rustok;

use clap::{Args, ValueEnum};

use crate::{
    contender::Contender,
    declared,
    label_sets::LabelSets,
    rounds::{ALLOCATION_RECORDS, Effort, measure},
    table::{Table, with_ratio},
};

/// What is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// How many series there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Series {
    One,
    Hundred,
    Many,
    /// A route of 30 bytes and a tenant that is a UUID.
    LongOne,
    /// Four routes and a hundred such tenants.
    Long,
}

impl Series {
    const ALL: [Self; 5] = [
        Self::One,
        Self::Hundred,
        Self::Many,
        Self::LongOne,
        Self::Long,
    ];

    fn shape(self) -> [usize; 2] {
        match self {
            Series::One | Series::LongOne => [1, 1],
            Series::Hundred => [10, 10],
            Series::Many => [100, 100],
            Series::Long => [4, 100],
        }
    }

    fn sets(self) -> LabelSets {
        match self {
            Series::One | Series::Hundred | Series::Many => LabelSets::new(self.shape()),
            Series::LongOne | Series::Long => LabelSets::long(self.shape()),
        }
    }
}

const THREADS: [usize; 2] = [1, 2];

/// Measures all kinds, and prints a table for each.
pub(crate) fn report(effort: Effort) {
    for kind in [Kind::Counter, Kind::Gauge, Kind::Histogram] {
        let names: Vec<_> = contenders(kind, Series::One)
            .iter()
            .map(|one| one.name)
            .collect();
        let title = format!("{kind:?}, 2 labels as `&str`: ns a record (times the first row)");
        let mut table = Table::new(title, names);
        let mut allocations = Vec::new();
        for series in Series::ALL {
            let sets = series.sets();
            let contenders = contenders(kind, series);
            contenders
                .iter()
                .for_each(|contender| contender.record_each(&sets));
            for threads in THREADS {
                let outcomes = measure(&contenders, &sets, threads, effort);
                let floor = outcomes[0].nanoseconds;
                let cells = outcomes
                    .iter()
                    .map(|outcome| with_ratio(outcome.nanoseconds, floor));
                table.column(heading(series, sets.len(), threads), cells.collect());
                allocations = outcomes
                    .iter()
                    .map(|one| format!("{:.0}", one.allocations))
                    .collect();
            }
            let records = THREADS
                .map(|threads| threads * effort.records * effort.rounds + ALLOCATION_RECORDS);
            let records = sets.len() + records.iter().sum::<usize>();
            let expected = expected(kind, &sets, records);
            for contender in &contenders {
                let held = contender.held().unwrap_or(expected);
                assert_eq!(held, expected, "{}, {kind:?}, {series:?}", contender.name);
            }
            declared::expect(rustok::name(kind, series), expected);
        }
        table.column("allocations", allocations);
        table.print();
    }
}

/// What one contender does alone.
#[derive(Debug, Args)]
pub(crate) struct Repeated {
    /// What is recorded.
    #[arg(long, value_enum, default_value = "counter")]
    kind: Kind,
    /// How many series there are.
    #[arg(long, value_enum, default_value = "hundred")]
    series: Series,
    /// Records, after one for each series.
    #[arg(long, default_value_t = 0)]
    records: usize,
    /// Part of the name of the one who records.
    #[arg(long, default_value = "rustok")]
    who: String,
}

/// Records as often as asked, checks that everything arrived, and prints nothing.
pub(crate) fn repeat(repeated: &Repeated) {
    let sets = repeated.series.sets();
    let contender = contenders(repeated.kind, repeated.series)
        .into_iter()
        .find(|contender| contender.name.contains(&repeated.who))
        .unwrap_or_else(|| panic!("no contender is called {}", repeated.who));
    contender.record_each(&sets);
    contender.record(&sets, 0, repeated.records);
    let expected = expected(repeated.kind, &sets, sets.len() + repeated.records);
    assert_eq!(contender.held().unwrap_or(expected), expected);
}

fn heading(series: Series, sets: usize, threads: usize) -> String {
    let plural = if threads == 1 { "" } else { "s" };
    let labels = match series {
        Series::One | Series::Hundred | Series::Many => "",
        Series::LongOne | Series::Long => " of long labels",
    };
    format!("{sets} series{labels}, {threads} thread{plural}")
}

/// The floor comes first.
fn contenders(kind: Kind, series: Series) -> Vec<Contender> {
    let mut all = floor::contenders(kind, series);
    all.push(rustok::contender(kind, series));
    all.push(prometheus::contender(kind));
    all.push(prometheus_client::contender(kind));
    all.push(metrics_rs::contender(kind, series));
    all.extend(opentelemetry::contenders(kind, series));
    all
}

/// What a contender holds when every record arrived: records of a counter or histogram; a gauge's series have their
/// own numbers.
fn expected(kind: Kind, sets: &LabelSets, records: usize) -> u64 {
    let sum = match kind {
        Kind::Counter | Kind::Histogram => records,
        Kind::Gauge => sets.iter().map(|(set, _)| set).sum(),
    };
    sum as u64
}

/// The value that a histogram gets for a label set; they fall into five buckets.
fn seconds(set: usize) -> f64 {
    [0.0007, 0.003, 0.02, 0.2, 3.0][set % 5]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_name_the_call_of_their_instrument() {
        for kind in [Kind::Gauge, Kind::Histogram] {
            for Contender { name, .. } in contenders(kind, Series::One) {
                let is_of_a_counter = name.contains("counter!") || name.contains("`add`");
                assert!(!is_of_a_counter, "{kind:?}: {name}");
            }
        }
    }
}
