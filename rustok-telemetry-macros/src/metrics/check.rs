//! Checks declarations, and reports every error in them.

use syn::{ItemFn, Path, ReturnType};

use super::diagnostics::Diagnostics;
use super::docs;
use super::full_names::Prefix;
use super::kind::{Kind, ValueType};
use super::metric::Metric;
use super::options::Options;
use super::parameters;
use super::parse::Declaration;
use super::{names, signature, suggest, types, units};

/// Rejects a metric attribute on a function with a body.
pub(crate) fn has_body(function: &ItemFn, kind: Kind, diagnostics: &mut Diagnostics) {
    diagnostics.add(
        &function.sig.ident,
        format!("the {} `{}` has a body", kind.words(), function.sig.ident),
        "end the signature with `;`: the body is generated",
        kind.usage(),
    );
}

/// Returns the declared metric; `None` after an error. Without a prefix, which has been reported, checks everything but
/// the full name.
pub(crate) fn declaration(
    declaration: &Declaration,
    prefix: Option<&Prefix>,
    root: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<Metric> {
    let before = diagnostics.count();
    let kind = only_kind(declaration, diagnostics)?;
    let usage = kind.usage();
    let attributes: Vec<_> = declaration.kinds.iter().take(1).map(|(_, a)| a).collect();
    let options = Options::of_attributes(&attributes, kind.options(), usage, diagnostics);
    let signature = &declaration.signature;

    signature::check(signature, kind, diagnostics);
    let help = docs::help(&declaration.docs);
    if help.is_empty() {
        diagnostics.add(
            &signature.ident,
            format!(
                "the {} `{}` has no doc comment",
                kind.words(),
                signature.ident
            ),
            "describe what it measures in a `///` line above, which becomes the metric's help text",
            usage,
        );
    }
    let (full_name, unit) = name_and_unit(declaration, kind, &options, prefix, diagnostics);
    let parameters = parameters::read(signature, kind, diagnostics);
    let value_type = match &parameters.value {
        Some(value) => value.value_type,
        None => kind.values()[0],
    };
    let value_type = returned(declaration, kind, diagnostics).unwrap_or(value_type);
    required(declaration, kind, &options, diagnostics);
    let metric = Metric {
        root: root.clone(),
        kind,
        value_type,
        full_name,
        unit,
        help,
        docs: declaration.docs.clone(),
        attributes: declaration.attributes.clone(),
        visibility: declaration.visibility.clone(),
        function: signature.ident.clone(),
        labels: parameters.labels,
        value: parameters.value,
        boundaries: options.expression("boundaries", diagnostics),
        series: options.number("series", diagnostics),
        also: options.path("also", diagnostics),
        observe: options.path("observe", diagnostics),
    };
    (diagnostics.count() == before && prefix.is_some()).then_some(metric)
}

/// Returns the kind of the single metric attribute.
fn only_kind(declaration: &Declaration, diagnostics: &mut Diagnostics) -> Option<Kind> {
    let function = &declaration.signature.ident;
    let Some(((kind, _), others)) = declaration.kinds.split_first() else {
        let known = Kind::ALL.map(Kind::attribute);
        let meant = declaration.attributes.iter().find_map(|attribute| {
            let written = attribute.path().get_ident()?;
            let kind = suggest::closest(&written.to_string(), known)?;
            Some((written, kind))
        });
        match meant {
            Some((written, kind)) => diagnostics.add(
                written,
                format!("`{written}` is not a kind of metric"),
                format!("did you mean `{kind}`?"),
                Kind::from_attribute(kind).unwrap_or(Kind::Counter).usage(),
            ),
            None => diagnostics.add(
                function,
                format!("the function `{function}` has no body and declares no metric"),
                format!("give it a body, or one of {}", suggest::list(&known)),
                Kind::Counter.usage(),
            ),
        }
        return None;
    };
    for (other, attribute) in others {
        diagnostics.add(
            attribute,
            format!(
                "`{function}` is already {}, and a function records one metric",
                kind.one()
            ),
            format!(
                "declare another function for the {}; `also` can call it",
                other.words()
            ),
            kind.usage(),
        );
    }
    Some(*kind)
}

/// Returns the full name and the unit, which are unused after an error.
fn name_and_unit(
    declaration: &Declaration,
    kind: Kind,
    options: &Options,
    prefix: Option<&Prefix>,
    diagnostics: &mut Diagnostics,
) -> (String, String) {
    let usage = kind.usage();
    let written_unit = options.string("unit", diagnostics);
    let without_total = options.flag("without_total", diagnostics);
    let Some(written) = options.string("name", diagnostics) else {
        if !options.has("name") {
            let function = &declaration.signature.ident;
            diagnostics.add(
                function,
                format!("the {} `{function}` has no name", kind.words()),
                match prefix.is_some_and(Prefix::is_none) {
                    true => "write `name = \"…\"`, the full name",
                    false => "write `name = \"…\"`, without namespace and subsystem",
                },
                usage,
            );
        }
        return Default::default();
    };
    let name = written.value();
    if let Some(complaint) = names::spelling("the name", &name) {
        diagnostics.add(&written, complaint.wrong, complaint.right, usage);
        return Default::default();
    }
    let full_name = match prefix {
        Some(prefix) => prefix.full_name(&name),
        None => name.clone(),
    };
    if let Some(complaint) = names::metric(kind, &name, &full_name, without_total) {
        diagnostics.add(&written, complaint.wrong, complaint.right, usage);
    }
    let Some(written_unit) = written_unit else {
        let unit = units::from_name(&full_name).unwrap_or_default();
        return (full_name, unit.to_owned());
    };
    let unit = written_unit.value();
    if let Some(complaint) = units::check(&unit, &full_name) {
        diagnostics.add(&written_unit, complaint.wrong, complaint.right, usage);
    }
    (full_name, unit)
}

/// Returns the value type of an observable, its return type. Other kinds have none.
fn returned(
    declaration: &Declaration,
    kind: Kind,
    diagnostics: &mut Diagnostics,
) -> Option<ValueType> {
    let signature = &declaration.signature;
    match (&signature.output, kind.is_observable()) {
        (ReturnType::Default, false) => None,
        (ReturnType::Default, true) => {
            diagnostics.add(
                &signature.ident,
                format!(
                    "the {} `{}` has no return type, which is the type of its values",
                    kind.words(),
                    signature.ident
                ),
                format!("return {}", kind.values_in_words()),
                kind.usage(),
            );
            None
        }
        (output @ ReturnType::Type(..), false) => {
            diagnostics.add(
                output,
                format!("{} returns nothing", kind.one()),
                "remove the return type",
                kind.usage(),
            );
            None
        }
        (ReturnType::Type(_, output), true) => match types::value_type(output, kind) {
            Ok(value_type) => Some(value_type),
            Err(right) => {
                diagnostics.add(
                    output,
                    format!(
                        "{} has no values of type `{}`",
                        kind.one(),
                        types::written(output)
                    ),
                    right,
                    kind.usage(),
                );
                None
            }
        },
    }
}

/// Rejects a histogram without boundaries, and an observable without a callback.
fn required(
    declaration: &Declaration,
    kind: Kind,
    options: &Options,
    diagnostics: &mut Diagnostics,
) {
    let function = &declaration.signature.ident;
    if kind == Kind::Histogram && !options.has("boundaries") {
        diagnostics.add(
            function,
            format!("the histogram `{function}` has no boundaries"),
            "write `boundaries = …`: a constant such as `FAST_SECONDS`, or a list `[0.1, 1.0]`",
            kind.usage(),
        );
    }
    if kind.is_observable() && !options.has("observe") {
        diagnostics.add(
            function,
            format!(
                "nothing reports the values of the {} `{function}`",
                kind.words()
            ),
            "write `observe = …`: the path of a function that is called when metrics are collected",
            kind.usage(),
        );
    }
}
