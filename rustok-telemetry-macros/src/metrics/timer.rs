//! Timer functions of histograms of seconds: `time_x` beside `record_x`.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, Lifetime, Meta, Type};

use super::kind::{Kind, ValueType};
use super::metric::{Label, Metric};
use crate::root::{private, private_at};

/// Returns the name of the metric's timer function, if the metric has a timer.
pub(crate) fn name(metric: &Metric) -> Option<Ident> {
    let is_timed =
        metric.kind == Kind::Histogram && metric.value_type == ValueType::F64 && metric.unit == "s";
    is_timed.then(|| name_beside(&metric.function))
}

/// Returns the name of the timer function for a recording function.
pub(crate) fn name_beside(function: &Ident) -> Ident {
    let name = function.unraw().to_string();
    let what = name.strip_prefix("record_").unwrap_or(&name);
    // Errors point to the function. The call-site hygiene suppresses the warning about an unused timer function.
    let span = Span::call_site().located_at(function.span());
    format_ident!("time_{what}", span = span)
}

/// Generates the function that starts a timer. The timer calls `recorder` with the labels as text when it ends.
pub(crate) fn function(metric: &Metric, name: &Ident, recorder: &Ident) -> TokenStream {
    let private = private(&metric.root);
    let visibility = &metric.visibility;
    let attributes = &metric.attributes;
    let docs = docs(metric);
    let hidden = metric.docs.iter().filter(|doc| is_option(doc));
    let parameters = metric.labels.iter().map(|label| {
        let (name, kind) = (&label.parameter, borrowed(label));
        quote!(#name: #kind)
    });
    let labels = metric.labels.iter().map(|label| {
        let name = &label.parameter;
        let private = private_at(&metric.root, name.span());
        quote_spanned!(name.span()=> #private::LabelValue::as_label(#name))
    });
    let count = Literal::usize_unsuffixed(metric.labels.len());
    let timed = timed();
    quote! {
        #(#[doc = #docs])*
        #(#hidden)*
        #(#attributes)*
        #visibility fn #name<#timed>(#(#parameters),*) -> #private::Timer<#timed, #count> {
            #private::Timer::start([#(#labels),*], #recorder)
        }
    }
}

fn docs(metric: &Metric) -> [String; 3] {
    let function = metric.function.unraw();
    [
        format!(
            " Starts a timer: [`{function}`] with the seconds from now until it is dropped or stopped."
        ),
        String::new(),
        format!(" {} `{}`.", metric.kind.title(), metric.full_name),
    ]
}

/// Generates the label's parameter, borrowed for the lifetime of the timer.
fn borrowed(label: &Label) -> TokenStream {
    let timed = timed();
    match unwrapped(&label.parameter_type) {
        Type::Reference(text) => {
            let mut text = text.clone();
            // Keeps an explicit lifetime, such as `'static`.
            text.lifetime.get_or_insert(timed);
            text.to_token_stream()
        }
        Type::ImplTrait(value) => {
            let bounds = &value.bounds;
            quote!(&#timed (impl #bounds + ?::core::marker::Sized))
        }
        other => quote!(&#timed #other),
    }
}

/// Returns the type without the invisible groups of `macro_rules!` fragments.
fn unwrapped(of: &Type) -> &Type {
    match of {
        Type::Group(group) => unwrapped(&group.elem),
        Type::Paren(inner) => unwrapped(&inner.elem),
        other => other,
    }
}

fn timed() -> Lifetime {
    Lifetime::new("'timed", Span::call_site())
}

/// Returns whether this is `#[doc(hidden)]` or another option instead of text.
fn is_option(doc: &Attribute) -> bool {
    matches!(doc.meta, Meta::List(_))
}
