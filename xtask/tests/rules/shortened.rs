//! The rules with shorter durations, as a test of faults runs them, are the committed ones in all but durations.

use std::fs;
use std::path::Path;
use std::time::Duration;

use promql_parser::parser::{Expr, Offset, parse};
use serde_json::{Map, Value};
use xtask::stack::shortened;
use xtask::{workspace, yaml};

use crate::{assert_succeeds, files};

const DIVISOR: u32 = 30;

#[test]
fn only_durations_are_shortened() {
    let (mut alerts, mut windows) = (0, 0);
    for path in files::rule_files() {
        let text = fs::read_to_string(&path).expect("the file");
        let (long, short) = (rules(&text), rules(&shortened::rules(&text, DIVISOR)));
        assert_eq!(long.len(), short.len());
        for (mut long, mut short) in long.into_iter().zip(short) {
            let name = long.get("alert").or(long.get("record")).cloned();
            let mut durations = [&mut long, &mut short].map(|rule| {
                let mut durations: Vec<_> = ["for", "keep_firing_for"]
                    .iter()
                    .filter_map(|key| rule.remove(*key))
                    .map(|value| seconds(value.as_str().expect("a duration")))
                    .collect();
                alerts += durations.len();
                let expr = rule["expr"].as_str().expect("an expression");
                let mut expr = parse(expr).unwrap_or_else(|error| panic!("{name:?}: {error}"));
                let before = durations.len();
                take_durations(&mut expr, &mut durations);
                windows += durations.len() - before;
                rule["expr"] = expr.to_string().into();
                durations
            });
            assert_eq!(long, short, "{name:?}");
            for long in &mut durations[0] {
                *long /= DIVISOR;
            }
            assert_eq!(durations[0], durations[1], "{name:?}");
        }
    }
    assert!(alerts > 40 && windows > 200, "{alerts}, {windows}");
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn promtool_accepts_them() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shortened");
    fs::create_dir_all(&folder).expect("a folder");
    let written: Vec<_> = files::rule_files()
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).expect("the file");
            let file = folder.join(path.file_name().expect("a name"));
            fs::write(&file, shortened::rules(&text, DIVISOR)).expect("the folder is writable");
            file
        })
        .collect();
    assert_succeeds(&["check", "rules", "--lint=all", "--lint-fatal"], &written);
}

#[test]
fn only_the_evaluation_interval_is_changed() {
    let path = workspace::root().join("prometheus/prometheus.yml");
    let text = fs::read_to_string(path).expect("the file");
    let short = yaml::parse(&shortened::configuration(&text)).expect("YAML");
    let mut long = yaml::parse(&text).expect("YAML");
    assert_ne!(long, short);
    long["global"]["evaluation_interval"] = "1s".into();
    assert_eq!(long, short);
}

fn rules(text: &str) -> Vec<Map<String, Value>> {
    let file = yaml::parse(text).expect("YAML");
    let groups = file["groups"].as_array().expect("groups").clone();
    groups
        .iter()
        .flat_map(|group| group["rules"].as_array().expect("rules"))
        .map(|rule| rule.as_object().expect("a rule").clone())
        .collect()
}

/// The durations of an expression, in order, which then has the same in place of each.
fn take_durations(expr: &mut Expr, taken: &mut Vec<Duration>) {
    let mut take = |duration: &mut Duration| {
        taken.push(std::mem::replace(duration, Duration::from_secs(1)));
    };
    match expr {
        Expr::MatrixSelector(matrix) => {
            take(&mut matrix.range);
            take_offset(&mut matrix.vs.offset, taken);
        }
        Expr::VectorSelector(selector) => take_offset(&mut selector.offset, taken),
        Expr::Subquery(subquery) => {
            take(&mut subquery.range);
            if let Some(step) = &mut subquery.step {
                take(step);
            }
            take_offset(&mut subquery.offset, taken);
            take_durations(&mut subquery.expr, taken);
        }
        Expr::Aggregate(aggregate) => take_durations(&mut aggregate.expr, taken),
        Expr::Binary(binary) => {
            take_durations(&mut binary.lhs, taken);
            take_durations(&mut binary.rhs, taken);
        }
        Expr::Call(call) => {
            for argument in &mut call.args.args {
                take_durations(argument, taken);
            }
        }
        Expr::Paren(paren) => take_durations(&mut paren.expr, taken),
        Expr::Unary(unary) => take_durations(&mut unary.expr, taken),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => {}
        other => panic!("of a kind that this test does not know: {other}"),
    }
}

fn take_offset(offset: &mut Option<Offset>, taken: &mut Vec<Duration>) {
    if let Some(Offset::Pos(duration) | Offset::Neg(duration)) = offset {
        taken.push(std::mem::replace(duration, Duration::from_secs(1)));
    }
}

/// A duration of `for:`, by the parser of PromQL: `[5m]` is one too.
fn seconds(text: &str) -> Duration {
    match parse(&format!("x[{text}]")).expect("a duration") {
        Expr::MatrixSelector(matrix) => matrix.range,
        other => panic!("{other}"),
    }
}
