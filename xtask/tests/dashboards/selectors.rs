//! The selectors of an expression.

use promql_parser::parser::{Expr, VectorSelector, parse};
use promql_parser::util::{ExprVisitor, walk_expr};

/// Which series a part of an expression selects.
pub(crate) struct Selector {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// All selectors, without ranges and offsets.
pub(crate) fn of(promql: &str) -> Vec<Selector> {
    let expr = parse(promql).expect("an expression");
    let mut selectors = Selectors(Vec::new());
    walk_expr(&mut selectors, &expr).expect("it never fails");
    selectors.0
}

struct Selectors(Vec<Selector>);

impl ExprVisitor for Selectors {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        let selector = match expr {
            Expr::VectorSelector(selector) => selector,
            Expr::MatrixSelector(matrix) => &matrix.vs,
            _ => return Ok(true),
        };
        let name = selector.name.clone().unwrap_or_default();
        let without_offset = VectorSelector::new(selector.name.clone(), selector.matchers.clone());
        self.0.push(Selector {
            name,
            text: without_offset.to_string(),
        });
        Ok(true)
    }
}
