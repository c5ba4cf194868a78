//! The selectors of an expression.

use promql_parser::parser::{Expr, VectorSelector, parse};
use promql_parser::util::{ExprVisitor, walk_expr};

/// All selectors, without ranges and offsets. Panics if it is no expression.
pub fn of(promql: &str) -> Vec<VectorSelector> {
    let expr = parse(promql).expect("an expression");
    let mut selectors = Selectors(Vec::new());
    walk_expr(&mut selectors, &expr).expect("it never fails");
    selectors.0
}

struct Selectors(Vec<VectorSelector>);

impl ExprVisitor for Selectors {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        let selector = match expr {
            Expr::VectorSelector(selector) => selector,
            Expr::MatrixSelector(matrix) => &matrix.vs,
            _ => return Ok(true),
        };
        let (name, matchers) = (selector.name.clone(), selector.matchers.clone());
        self.0.push(VectorSelector::new(name, matchers));
        Ok(true)
    }
}
