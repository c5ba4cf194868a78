//! Timers: the function beside the one that records a histogram of seconds.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, Lifetime, Meta, Type};

use super::kind::{Kind, ValueType};
use super::metric::{Label, Metric};
use crate::root::{private, private_at};

/// The function that starts a timer of this metric, if it has one.
pub(crate) fn name(metric: &Metric) -> Option<Ident> {
    let is_timed =
        metric.kind == Kind::Histogram && metric.value_type == ValueType::F64 && metric.unit == "s";
    is_timed.then(|| name_beside(&metric.function))
}

/// What the function that starts a timer is called beside the one that records.
pub(crate) fn name_beside(function: &Ident) -> Ident {
    let name = function.unraw().to_string();
    let what = name.strip_prefix("record_").unwrap_or(&name);
    // The place is that of the function, and yet no compiler's warning is about it: not every metric is timed.
    let span = Span::call_site().located_at(function.span());
    format_ident!("time_{what}", span = span)
}

/// The function that starts a timer. `recorder` is to be called at the end, with labels that are text.
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

/// The label's parameter as something that the timer borrows.
fn borrowed(label: &Label) -> TokenStream {
    let timed = timed();
    match unwrapped(&label.parameter_type) {
        Type::Reference(text) => {
            let mut text = text.clone();
            // What is `'static` stays so.
            text.lifetime.get_or_insert(timed);
            text.to_token_stream()
        }
        Type::ImplTrait(value) => {
            let bounds = &value.bounds;
            quote!(&#timed (impl #bounds + ?::core::marker::Sized))
        }
        other => other.to_token_stream(),
    }
}

/// A type without the groups that a `macro_rules` puts around it.
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

/// `#[doc(hidden)]` and the like, not text.
fn is_option(doc: &Attribute) -> bool {
    matches!(doc.meta, Meta::List(_))
}
