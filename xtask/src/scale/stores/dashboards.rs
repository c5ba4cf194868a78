//! Every query of every dashboard, at the same instants in each store.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::thread::sleep;
use std::time::Duration;

use super::known::{self, Known};
use super::{Error, Store, now};
use crate::dashboards::file::{self, File, Times, list, text};
use crate::dashboards::selectors;
use crate::rules;
use crate::stack::query::{prometheus_api_at, prometheus_query_past};

/// What stands for the variables that Grafana itself sets.
const TIMES: Times = Times {
    rate_interval: "1m",
    range: "2m",
};
/// The time in which the service's counters have moved: longer than the ranges.
pub const TRAFFIC: Duration = Duration::from_secs(130);
/// Instants at which each query is run, and the time from one to the next.
const INSTANTS: usize = 3;
const STEP: Duration = Duration::from_secs(4);
/// The time after which every sample of an instant is in each store.
const ARRIVED: Duration = Duration::from_secs(10);
/// Stores add up the same samples in another order.
const SUMS: f64 = 1e-9;
/// Between evaluations of rules. Rulers evaluate at other moments than the reference, on samples that arrive within
/// seconds. So a value of a recorded series counts as equal if the reference had it, or a higher and a lower one, within
/// `EVALUATED_WITHIN` seconds.
pub const EVALUATION: Duration = Duration::from_secs(5);
const EVALUATED_WITHIN: f64 = 9.0;
const EVALUATION_STEP: f64 = 3.0;

/// A query of a dashboard, with variables replaced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Query {
    /// The dashboard.
    pub dashboard: String,
    /// The panel and the letter of the query, `annotation`.
    pub place: String,
    /// The expression.
    pub promql: String,
}

/// The largest differences of a store.
#[derive(Debug)]
pub struct Comparison {
    /// The store.
    pub store: &'static str,
    /// Queries with the same series, and the same values but for the order of sums.
    pub equal: usize,
    /// Of these, queries of recorded series.
    pub recorded: usize,
    /// Queries that had no series in the reference, which says nothing about the store.
    pub empty: usize,
    /// The others.
    pub different: Vec<(Query, Difference, Option<&'static Known>)>,
}

/// How a result differs from that of the reference.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// The first label set that is missing, or that the reference does not have.
    pub series: Option<String>,
    /// The largest relative difference of values.
    pub relative: f64,
    /// The values with this difference: that of the reference, and that of the store.
    pub values: [f64; 2],
}

/// A result: values by labels.
type Vector = BTreeMap<BTreeMap<String, String>, f64>;

/// Returns every query of every dashboard, those of annotations included.
pub fn queries() -> Vec<Query> {
    let of_file = |file: &File| {
        let query = |place: String, promql: &str| Query {
            dashboard: file.name.trim_end_matches(".json").to_owned(),
            place,
            promql: file.fill(promql, TIMES),
        };
        let panels = file.queries().map(|it| {
            let place = format!("{} {}", text(&it.panel["title"]), text(&it.target["refId"]));
            query(place, it.expr)
        });
        let annotations = file
            .annotations()
            .map(|it| query("annotation".to_owned(), it));
        panels.chain(annotations).collect::<Vec<_>>()
    };
    file::all().iter().flat_map(of_file).collect()
}

/// Runs all queries in all stores, of which the first is the reference.
pub fn compare(stores: &[Store]) -> Result<Vec<Comparison>, Error> {
    let [reference, others @ ..] = stores else {
        return Err("no store".into());
    };
    sleep(STEP * INSTANTS as u32);
    let until = now();
    sleep(ARRIVED);
    let instants: Vec<_> = (0..INSTANTS)
        .map(|instant| until - STEP.as_secs_f64() * instant as f64)
        .collect();
    let recorded = recorded()?;
    let mut comparisons: Vec<_> = others
        .iter()
        .map(|store| Comparison {
            store: store.name,
            equal: 0,
            recorded: 0,
            empty: 0,
            different: Vec::new(),
        })
        .collect();
    for query in queries() {
        let is_recorded = recorded.iter().any(|name| query.promql.contains(name));
        let mut references = Vec::new();
        for &instant in &instants {
            references.push(match is_recorded {
                true => around(reference, &query.promql, instant)?,
                false => vec![vector(reference, &query.promql, instant)?],
            });
        }
        let is_empty = references.iter().flatten().all(BTreeMap::is_empty);
        for (store, comparison) in others.iter().zip(&mut comparisons) {
            let mut worst = Difference::default();
            for (&instant, references) in instants.iter().zip(&references) {
                worst.add(references, &vector(store, &query.promql, instant)?);
            }
            if is_empty && worst.series.is_none() {
                comparison.empty += 1;
            } else if worst.series.is_none() && worst.relative <= SUMS {
                comparison.equal += 1;
                comparison.recorded += usize::from(is_recorded);
            } else {
                let known = known::of(store.name, &query, is_recorded, &worst);
                comparison.different.push((query.clone(), worst, known));
            }
        }
    }
    Ok(comparisons)
}

/// Compares the samples behind all queries: the number and the sum of each selector in two minutes. Returns the number
/// of selectors and of samples. Recorded series have samples of other times in each store.
pub fn compare_samples(stores: &[Store]) -> Result<(usize, f64, Vec<String>), Error> {
    let recorded = recorded()?;
    let queries = queries();
    let selectors = queries
        .iter()
        .flat_map(|query| selectors::of(&query.promql));
    let selectors: BTreeSet<_> = selectors
        .filter(|it| !recorded.contains(it.name.as_deref().unwrap_or_default()))
        .map(|it| it.to_string())
        .collect();
    let instant = now();
    sleep(ARRIVED);
    let mut problems = Vec::new();
    let mut samples = 0.0;
    for selector in &selectors {
        for function in ["count_over_time", "sum_over_time"] {
            let promql = format!("{function}({selector}[{}])", TIMES.range);
            let reference = vector(&stores[0], &promql, instant)?;
            if function == "count_over_time" {
                samples += reference.values().sum::<f64>();
            }
            for store in &stores[1..] {
                let mut difference = Difference::default();
                let result = vector(store, &promql, instant)?;
                difference.add(std::slice::from_ref(&reference), &result);
                if difference.series.is_some() || difference.relative > SUMS {
                    problems.push(format!("{}: {promql}: {difference}", store.name));
                }
            }
        }
    }
    Ok((selectors.len(), samples, problems))
}

/// The names of what differs in times: recorded series, and alerts.
fn recorded() -> Result<BTreeSet<&'static str>, Error> {
    let records = rules::all()?
        .iter()
        .filter_map(|rule| rule.record.as_deref());
    Ok(records.chain(["ALERTS"]).collect())
}

/// Compares the values of each variable of the dashboards, and returns their number.
pub fn compare_variables(stores: &[Store]) -> Result<(usize, Vec<String>), Error> {
    let mut problems = Vec::new();
    let mut count = 0;
    for file in file::all() {
        for variable in file.label_values() {
            count += 1;
            let series = file.fill(variable.series, TIMES);
            let endpoint = format!("label/{}/values", variable.label);
            let mut answers = Vec::new();
            for store in stores {
                let answer = prometheus_api_at(&store.url, &endpoint, &[("match[]", &series)])?;
                let values: BTreeSet<_> = list(&answer).map(|it| text(it).to_owned()).collect();
                answers.push(values);
            }
            if answers
                .iter()
                .any(|answer| answer.is_empty() || *answer != answers[0])
            {
                let (file, variable) = (&file.name, variable.variable);
                problems.push(format!("{file}: the values of {variable}: {answers:?}"));
            }
        }
    }
    Ok((count, problems))
}

/// The results shortly before and after an instant.
fn around(store: &Store, promql: &str, instant: f64) -> Result<Vec<Vector>, Error> {
    let steps = (2.0 * EVALUATED_WITHIN / EVALUATION_STEP) as u32;
    let times =
        (0..=steps).map(|step| instant - EVALUATED_WITHIN + EVALUATION_STEP * f64::from(step));
    times.map(|time| vector(store, promql, time)).collect()
}

fn vector(store: &Store, promql: &str, time: f64) -> Result<Vector, Error> {
    // No store may leave out series without saying so.
    let parameters = [("partial_response", "false")];
    let samples = prometheus_query_past(&store.url, promql, time, &parameters)?;
    // VictoriaMetrics returns no series without a value.
    let samples = samples.into_iter().filter(|sample| !sample.value.is_nan());
    Ok(samples
        .map(|sample| (sample.labels, sample.value))
        .collect())
}

impl Difference {
    /// Adds the differences of a result from those that the reference had around the time of it.
    fn add(&mut self, references: &[Vector], result: &Vector) {
        let always = references.iter().flat_map(BTreeMap::keys);
        let mut missing = always.filter(|labels| {
            !result.contains_key(*labels) && references.iter().all(|it| it.contains_key(*labels))
        });
        if let Some(labels) = missing.next() {
            self.series = Some(format!("missing: {labels:?}"));
        }
        for (labels, &value) in result {
            let values = references.iter().filter_map(|it| it.get(labels).copied());
            let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| {
                (low.min(it), high.max(it))
            });
            if low > high {
                self.series = Some(format!("not in the reference: {labels:?}"));
                continue;
            }
            let nearest = value.clamp(low, high);
            let relative = match value == nearest {
                true => 0.0,
                false => (value - nearest).abs() / value.abs().max(nearest.abs()),
            };
            if relative > self.relative {
                (self.relative, self.values) = (relative, [nearest, value]);
            }
        }
    }
}

impl Comparison {
    /// Returns the differences that are not known.
    pub fn problems(&self) -> Vec<String> {
        let unknown = self
            .different
            .iter()
            .filter(|(_, _, known)| known.is_none());
        unknown
            .map(|(query, difference, _)| {
                let Query {
                    dashboard,
                    place,
                    promql,
                } = query;
                format!(
                    "{}: {dashboard}, {place}: {difference}: {promql}",
                    self.store
                )
            })
            .collect()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(series) = &self.series {
            write!(f, "series {series}; ")?;
        }
        let [reference, store] = self.values;
        write!(
            f,
            "{:.2} % ({reference} and {store})",
            100.0 * self.relative
        )
    }
}

/// A table in Markdown, and the differences below it.
pub fn print(comparisons: &[Comparison], f: &mut impl fmt::Write) -> fmt::Result {
    writeln!(
        f,
        "| store | queries | equal | of recorded series | without series | different | unknown |"
    )?;
    writeln!(f, "|---|---:|---:|---:|---:|---:|---:|")?;
    for it in comparisons {
        let all = it.equal + it.empty + it.different.len();
        let unknown = it.problems().len();
        writeln!(
            f,
            "| {} | {all} | {} | {} | {} | {} | {unknown} |",
            it.store,
            it.equal,
            it.recorded,
            it.empty,
            it.different.len()
        )?;
    }
    for it in comparisons {
        for (query, difference, known) in &it.different {
            let reason = known.map_or("unknown", |known| known.reason);
            let (dashboard, place) = (&query.dashboard, &query.place);
            writeln!(
                f,
                "{}: {dashboard}, {place}: {difference}: {reason}",
                it.store
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    fn vector(series: &[(&str, f64)]) -> Vector {
        let labels = |name: &str| BTreeMap::from([("job".to_owned(), name.to_owned())]);
        let series = series.iter();
        series.map(|&(name, value)| (labels(name), value)).collect()
    }

    fn difference(references: &[Vector], result: &Vector) -> Difference {
        let mut difference = Difference::default();
        difference.add(references, result);
        difference
    }

    #[test]
    fn the_same_series_and_values_do_not_differ() {
        let same = vector(&[("a", 1.0), ("b", 0.0), ("c", f64::INFINITY)]);
        let found = difference(slice::from_ref(&same), &same);
        assert_eq!((found.series, found.relative), (None, 0.0));
    }

    #[test]
    fn missing_and_further_series_differ() {
        let (one, two) = (vector(&[("a", 1.0)]), vector(&[("a", 1.0), ("b", 1.0)]));
        assert!(difference(slice::from_ref(&two), &one).series.is_some());
        assert!(difference(&[one], &two).series.is_some());
    }

    #[test]
    fn values_differ_relatively() {
        let found = difference(&[vector(&[("a", 100.0)])], &vector(&[("a", 99.0)]));
        assert!((found.relative - 0.01).abs() < 1e-12, "{found:?}");
        let found = difference(&[vector(&[("a", 0.0)])], &vector(&[("a", 1.0)]));
        assert_eq!(found.relative, 1.0);
    }

    #[test]
    fn a_recorded_value_is_one_of_those_around_it() {
        let around = [vector(&[("a", 1.0)]), vector(&[("a", 3.0), ("b", 1.0)])];
        let found = difference(&around, &vector(&[("a", 2.0)]));
        assert_eq!((found.series, found.relative), (None, 0.0));
        let found = difference(&around, &vector(&[("a", 4.0)]));
        assert_eq!(found.values, [3.0, 4.0]);
    }
}
