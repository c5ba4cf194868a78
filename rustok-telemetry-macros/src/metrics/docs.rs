//! Doc comments: the help text of a metric, and the paragraph appended to the docs of its function.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

use super::metric::Metric;

/// Returns the first paragraph of the doc comment on one line; empty if there is none.
pub(crate) fn help(docs: &[Attribute]) -> String {
    let text: Vec<String> = docs.iter().filter_map(text).collect();
    let text = text.join("\n");
    let lines = text.lines().map(|line| {
        let line = line.trim();
        line.strip_prefix("* ").unwrap_or(line).trim()
    });
    let paragraph: Vec<&str> = lines
        .skip_while(|line| line.is_empty() || *line == "*")
        .take_while(|line| !line.is_empty() && *line != "*")
        .collect();
    paragraph.join(" ")
}

/// Returns the appended paragraph: kind, name, unit, labels and budgets.
pub(crate) fn paragraph(metric: &Metric) -> String {
    let mut text = format!(" {} `{}`.", metric.kind.title(), metric.full_name);
    if !metric.unit.is_empty() {
        text.push_str(&format!(" Unit: `{}`.", metric.unit));
    }
    let labels: Vec<String> = metric
        .labels
        .iter()
        .map(|label| format!("`{}` (at most {} values)", label.name, label.budget))
        .collect();
    if labels.is_empty() {
        text.push_str(" No labels.");
    } else {
        text.push_str(&format!(" Labels: {}.", labels.join(", ")));
    }
    if let Some(series) = metric.series {
        text.push_str(&format!(" At most {series} series."));
    }
    text
}

/// Returns the text of `#[doc = "…"]`, the desugared `///`.
fn text(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::{Attribute, parse_quote};

    use super::help;

    #[test]
    fn help_is_the_first_paragraph_on_one_line() {
        let docs: Vec<Attribute> = vec![
            parse_quote!(#[doc = " Events"]),
            parse_quote!(#[doc = " published."]),
            parse_quote!(#[doc = ""]),
            parse_quote!(#[doc = " More."]),
        ];
        assert_eq!(help(&docs), "Events published.");
    }

    #[test]
    fn help_of_a_block_comment() {
        let docs: Vec<Attribute> =
            vec![parse_quote!(#[doc = "\n * Events\n * published.\n *\n * More.\n "])];
        assert_eq!(help(&docs), "Events published.");
    }

    #[test]
    fn help_is_empty_without_text() {
        let docs: Vec<Attribute> = vec![
            parse_quote!(#[doc(hidden)]),
            parse_quote!(#[doc = include_str!("a.md")]),
            parse_quote!(#[doc = "  "]),
        ];
        assert_eq!(help(&docs), "");
    }
}
