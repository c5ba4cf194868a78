//! Comparisons with a number in the expression of an alert.

use std::collections::BTreeSet;

use promql_parser::parser::token::{
    T_ADD, T_AVG, T_DIV, T_EQLC, T_GTE, T_GTR, T_LAND, T_LOR, T_LSS, T_LTE, T_LUNLESS, T_MAX,
    T_MIN, T_MUL, T_SUB, T_SUM, TokenId,
};
use promql_parser::parser::{BinaryExpr, Expr, VectorSelector, parse};
use promql_parser::util::{ExprVisitor, walk_expr};

/// A comparison of series with a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The names of the compared series.
    pub series: BTreeSet<String>,
    /// The condition on their value.
    pub fires: Fires,
}

/// The condition on a value, in the unit of the series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fires {
    /// The value is greater.
    Above(f64),
    /// The value is less.
    Below(f64),
    /// The value is equal.
    At(f64),
}

/// Returns the comparisons that decide whether the expression has a value.
///
/// Comparisons below `count` or `unless` are excluded: their numbers are not thresholds of a shown value.
pub(super) fn of(promql: &str) -> Result<Vec<Condition>, String> {
    let mut conditions = Vec::new();
    collect(&parse(promql)?, &mut conditions)?;
    Ok(conditions)
}

fn collect(expr: &Expr, conditions: &mut Vec<Condition>) -> Result<(), String> {
    match expr {
        Expr::Paren(paren) => collect(&paren.expr, conditions),
        // These aggregations keep the compared values, or sum them.
        Expr::Aggregate(aggregate) if [T_SUM, T_MAX, T_MIN, T_AVG].contains(&aggregate.op.id()) => {
            collect(&aggregate.expr, conditions)
        }
        Expr::Binary(binary) => match binary.op.id() {
            T_LAND | T_LOR => {
                collect(&binary.lhs, conditions)?;
                collect(&binary.rhs, conditions)
            }
            T_LUNLESS => collect(&binary.lhs, conditions),
            _ if binary.op.is_comparison_operator() => {
                conditions.push(comparison(binary)?);
                Ok(())
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn comparison(binary: &BinaryExpr) -> Result<Condition, String> {
    let not_understood = || format!("{binary} is no comparison of series with a number");
    let number = constant(&binary.rhs).ok_or_else(not_understood)?;
    let fires = match binary.op.id() {
        T_GTR | T_GTE => Fires::Above(number),
        T_LSS | T_LTE => Fires::Below(number),
        T_EQLC => Fires::At(number),
        _ => return Err(not_understood()),
    };
    let mut names = Names::default();
    walk_expr(&mut names, &binary.lhs)?;
    Ok(Condition {
        series: names.0,
        fires,
    })
}

/// Returns the value of an expression without series, such as `0.8 * 512`.
fn constant(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::NumberLiteral(number) => Some(number.val),
        Expr::Paren(paren) => constant(&paren.expr),
        Expr::Unary(unary) => Some(-constant(&unary.expr)?),
        Expr::Binary(binary) => calculated(
            binary.op.id(),
            constant(&binary.lhs)?,
            constant(&binary.rhs)?,
        ),
        _ => None,
    }
}

fn calculated(operator: TokenId, left: f64, right: f64) -> Option<f64> {
    match operator {
        T_ADD => Some(left + right),
        T_SUB => Some(left - right),
        T_MUL => Some(left * right),
        T_DIV => Some(left / right),
        _ => None,
    }
}

/// Collects the names of all series in an expression.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl ExprVisitor for Names {
    type Error = String;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        let selector: &VectorSelector = match expr {
            Expr::VectorSelector(selector) => selector,
            Expr::MatrixSelector(matrix) => &matrix.vs,
            _ => return Ok(true),
        };
        self.0.extend(selector.name.clone());
        Ok(true)
    }
}

impl Fires {
    /// Returns the number.
    pub fn threshold(self) -> f64 {
        match self {
            Self::Above(number) | Self::Below(number) | Self::At(number) => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fires(promql: &str) -> Vec<Fires> {
        let conditions = of(promql).expect("it is understood");
        conditions.iter().map(|condition| condition.fires).collect()
    }

    #[test]
    fn a_comparison_is_read() {
        assert_eq!(fires("a > 0.05"), [Fires::Above(0.05)]);
        assert_eq!(fires("sum by (job) (a) <= 3"), [Fires::Below(3.0)]);
        assert_eq!(fires("up{job=\"a\"} == 0"), [Fires::At(0.0)]);
    }

    #[test]
    fn a_number_may_be_calculated() {
        assert_eq!(fires("a > 0.5 * (3 - 1) / 4"), [Fires::Above(0.25)]);
        assert_eq!(fires("a > -1"), [Fires::Above(-1.0)]);
    }

    #[test]
    fn each_part_of_a_condition_is_one() {
        let both = of("(a > 14 and b > 0.1) or sum by (job) (c > 0 unless d > 7)");
        let both = both.expect("it is understood");
        let read: Vec<_> = both
            .iter()
            .map(|condition| (condition.series.first().cloned(), condition.fires))
            .collect();
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(
            read,
            [
                (name("a"), Fires::Above(14.0)),
                (name("b"), Fires::Above(0.1)),
                (name("c"), Fires::Above(0.0)),
            ]
        );
    }

    #[test]
    fn what_is_counted_or_missing_has_no_threshold() {
        assert_eq!(fires("count by (job) (up == 1) unless on (job) a"), []);
        assert_eq!(fires("absent(up{job=\"a\"})"), []);
        assert_eq!(fires("vector(1)"), []);
    }

    #[test]
    fn what_is_not_understood_is_a_problem() {
        assert!(of("a > b").is_err());
        assert!(of("a != 1").is_err());
        assert!(of("a >").is_err());
    }
}
