//! Sorts the parameters of a declaration into labels and the value.

use std::collections::HashSet;

use proc_macro2::Ident;
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, Pat, PatType, Signature};

use super::diagnostics::{Diagnostics, LABEL_USAGE};
use super::kind::{Kind, ValueType};
use super::metric::{DEFAULT_LABEL_BUDGET, Label, Value};
use super::names;
use super::options::Options;
use super::types::{Role, role, suggested_number, written};

/// The labels and the value of a declaration.
#[derive(Default)]
pub(crate) struct Parameters {
    pub(crate) labels: Vec<Label>,
    pub(crate) value: Option<Value>,
}

/// Returns the labels and the value. Reports an error for each parameter that is neither.
pub(crate) fn read(signature: &Signature, kind: Kind, diagnostics: &mut Diagnostics) -> Parameters {
    let typed: Vec<&PatType> = signature
        .inputs
        .iter()
        .filter_map(|input| match input {
            FnArg::Typed(parameter) => Some(parameter),
            FnArg::Receiver(_) => None,
        })
        .collect();
    let mut parameters = Parameters::default();
    let mut seen = HashSet::new();
    let mut numbers = 0;
    for (position, parameter) in typed.iter().enumerate() {
        let name = name(parameter, position, kind, diagnostics);
        let labels = label_attributes(parameter, kind, diagnostics);
        match role(&parameter.ty, kind) {
            Role::Label => {
                let label = label(parameter, &name, &labels, diagnostics);
                if !seen.insert(label.name.clone()) {
                    diagnostics.add(
                        &parameter.pat,
                        format!("the label `{}` is declared twice", label.name),
                        "give one of the two another name with `#[label(name = \"…\")]`",
                        LABEL_USAGE,
                    );
                }
                parameters.labels.push(label);
            }
            Role::Number(value_type) => {
                for attribute in labels {
                    diagnostics.add(
                        attribute,
                        format!("`{name}` is a number, so it is the value, not a label"),
                        "remove `#[label]`, or take the label as `&str`",
                        kind.usage(),
                    );
                }
                numbers += 1;
                if numbers > 1 {
                    diagnostics.add(
                        parameter,
                        format!("`{name}` is a second number, and a metric records one value"),
                        "make it a label of type `&str`, or declare another metric for it",
                        kind.usage(),
                    );
                    continue;
                }
                let is_last = typed[position + 1..]
                    .iter()
                    .all(|later| matches!(role(&later.ty, kind), Role::Number(_)));
                parameters.value = value(parameter, &name, value_type, is_last, kind, diagnostics);
            }
            Role::Unsupported(right) => diagnostics.add(
                &parameter.ty,
                format!(
                    "`{}` is neither a label nor a value",
                    written(&parameter.ty)
                ),
                right,
                kind.usage(),
            ),
        }
    }
    if numbers == 0 && !matches!(kind, Kind::Counter) && !kind.is_observable() {
        diagnostics.add(
            &signature.ident,
            format!("this {} has no value", kind.words()),
            format!("add a last parameter of type {}", kind.values_in_words()),
            kind.usage(),
        );
    }
    parameters
}

fn name(parameter: &PatType, position: usize, kind: Kind, diagnostics: &mut Diagnostics) -> Ident {
    match &*parameter.pat {
        Pat::Ident(pattern)
            if pattern.by_ref.is_none()
                && pattern.mutability.is_none()
                && pattern.subpat.is_none() =>
        {
            pattern.ident.clone()
        }
        other => {
            diagnostics.add(
                other,
                "a parameter of a metric is a plain name",
                "write `name: type`",
                kind.usage(),
            );
            // A placeholder, so that the other checks run. A declaration with an error is not expanded.
            match other {
                Pat::Ident(pattern) => pattern.ident.clone(),
                _ => format_ident!("parameter_{position}"),
            }
        }
    }
}

/// Returns the `#[label]`s of a parameter. Reports other attributes as errors.
fn label_attributes<'a>(
    parameter: &'a PatType,
    kind: Kind,
    diagnostics: &mut Diagnostics,
) -> Vec<&'a Attribute> {
    let (labels, others): (Vec<_>, Vec<_>) = parameter
        .attrs
        .iter()
        .partition(|attribute| attribute.path().is_ident("label"));
    for other in others {
        diagnostics.add(
            other,
            "a parameter of a metric allows only the attribute `#[label]`",
            "remove the attribute",
            if labels.is_empty() {
                kind.usage()
            } else {
                LABEL_USAGE
            },
        );
    }
    labels
}

fn label(
    parameter: &PatType,
    ident: &Ident,
    attributes: &[&Attribute],
    diagnostics: &mut Diagnostics,
) -> Label {
    let options = Options::of_attributes(attributes, &["name", "budget"], LABEL_USAGE, diagnostics);
    let written = options.string("name", diagnostics);
    let name = match &written {
        Some(name) => name.value(),
        None => ident.unraw().to_string(),
    };
    if let Some(complaint) = names::label(&name) {
        let at = match &written {
            Some(name) => name.to_token_stream(),
            None => ident.to_token_stream(),
        };
        diagnostics.add(at, complaint.wrong, complaint.right, LABEL_USAGE);
    }
    let budget = options.number("budget", diagnostics);
    Label {
        parameter: ident.clone(),
        parameter_type: (*parameter.ty).clone(),
        name,
        budget: budget.unwrap_or(DEFAULT_LABEL_BUDGET),
    }
}

fn value(
    parameter: &PatType,
    name: &Ident,
    value_type: Option<ValueType>,
    is_last: bool,
    kind: Kind,
    diagnostics: &mut Diagnostics,
) -> Option<Value> {
    if kind.is_observable() {
        diagnostics.add(
            parameter,
            format!("this {} takes a value, `{name}`", kind.words()),
            "remove the parameter: `observe` reports the values, and the return type is their type",
            kind.usage(),
        );
        return None;
    }
    if !is_last {
        diagnostics.add(
            parameter,
            format!("the value `{name}` is not the last parameter"),
            "move it after the labels",
            kind.usage(),
        );
    }
    let Some(value_type) = value_type.filter(|found| kind.values().contains(found)) else {
        diagnostics.add(
            &parameter.ty,
            format!(
                "{} takes no value of type `{}`",
                kind.one(),
                written(&parameter.ty)
            ),
            format!(
                "{}; for a label, use `&str`",
                suggested_number(&parameter.ty, kind)
            ),
            kind.usage(),
        );
        return None;
    };
    Some(Value {
        parameter: name.clone(),
        parameter_type: (*parameter.ty).clone(),
        value_type,
    })
}
