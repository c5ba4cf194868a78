//! Generates the code of a metric.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Expr;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::docs;
use super::metric::Metric;
use super::stub::is_condition;
use super::timer;
use crate::root::{private, private_at};

/// Generates the function that records the metric, its catalogue entry, and the function `timer`, which starts a timer.
/// An observable has only a catalogue entry.
pub(crate) fn metric(metric: &Metric, timer: Option<&Ident>) -> TokenStream {
    match (&metric.observe, timer) {
        (Some(observe), _) => observable(metric, &observe.to_token_stream()),
        (None, Some(timer)) => timed(metric, timer),
        (None, None) => function(metric, &body(metric, &label_values(metric), &value(metric))),
    }
}

/// Generates a hidden function with labels as text, and its two callers: the declared function and the timer.
fn timed(metric: &Metric, timer: &Ident) -> TokenStream {
    let recorder = format_ident!(
        "__{}",
        metric.function.unraw(),
        span = metric.function.span()
    );
    let conditions = metric
        .attributes
        .iter()
        .filter(|attribute| is_condition(attribute));
    let count = Literal::usize_unsuffixed(metric.labels.len());
    let labels: Vec<_> = (0..metric.labels.len())
        .map(|position| {
            let position = Literal::usize_unsuffixed(position);
            quote!(labels[#position])
        })
        .collect();
    let body = body(metric, &labels, &quote!(seconds));
    let (values, value) = (label_values(metric), value(metric));
    let function = function(metric, &quote!(#recorder([#(#values),*], #value);));
    let timer = timer::function(metric, timer, &recorder);
    quote! {
        #function
        #timer
        #(#conditions)*
        fn #recorder(labels: [&::core::primitive::str; #count], seconds: ::core::primitive::f64) {
            #body
        }
    }
}

/// Generates the declared function with its body.
fn function(metric: &Metric, body: &TokenStream) -> TokenStream {
    let Metric {
        docs,
        attributes,
        visibility,
        function,
        ..
    } = metric;
    let paragraph = docs::paragraph(metric);
    let labels = metric.labels.iter().map(|label| {
        let (name, kind) = (&label.parameter, &label.parameter_type);
        quote!(#name: #kind)
    });
    let value = metric.value.iter().map(|value| {
        let (name, kind) = (&value.parameter, &value.parameter_type);
        quote!(#name: #kind)
    });
    let parameters = labels.chain(value);
    quote! {
        #(#docs)*
        #[doc = ""]
        #[doc = #paragraph]
        #(#attributes)*
        #visibility fn #function(#(#parameters),*) {
            #body
        }
    }
}

/// Generates the body: records `value` to the series `labels`, and calls the function of `also`.
fn body(metric: &Metric, labels: &[TokenStream], value: &TokenStream) -> TokenStream {
    let private = private(&metric.root);
    let declaration = declaration(metric);
    let static_type = instrument(metric);
    let entry = entry(metric);
    let record = quote!(METRIC.record([#(#labels),*], #value));
    let record = metric.also.as_ref().map_or(quote!(#record;), |also| {
        let value = metric.value.iter().map(|_| value);
        let arguments = labels.iter().chain(value);
        let call = quote_spanned!(also.span()=> #also(#(#arguments),*););
        quote!(if #record { #call })
    });
    quote! {
        #declaration
        static METRIC: #private::Metric<#static_type> = #private::Metric::new(&DECLARATION);
        #entry
        #record
    }
}

/// Generates the text of each label's parameter.
fn label_values(metric: &Metric) -> Vec<TokenStream> {
    let labels = metric.labels.iter().map(|label| {
        let name = &label.parameter;
        let private = private_at(&metric.root, name.span());
        quote_spanned!(name.span()=> #private::LabelValue::as_label(&#name))
    });
    labels.collect()
}

/// Returns the parameter with the value, or 1 for a counter without a value.
fn value(metric: &Metric) -> TokenStream {
    match &metric.value {
        Some(value) => value.parameter.to_token_stream(),
        None => quote!(1),
    }
}

fn observable(metric: &Metric, observe: &TokenStream) -> TokenStream {
    let private = private(&metric.root);
    let attributes = &metric.attributes;
    let declaration = declaration(metric);
    let static_type = instrument(metric);
    let entry = entry(metric);
    quote! {
        #(#attributes)*
        const _: () = {
            #declaration
            static METRIC: #private::Observable<#static_type> =
                #private::Observable::new(&DECLARATION, #observe);
            #entry
        };
    }
}

/// Generates `static DECLARATION`, and the compile-time check of its boundaries.
fn declaration(metric: &Metric) -> TokenStream {
    let private = private(&metric.root);
    let Metric {
        full_name,
        unit,
        help,
        ..
    } = metric;
    let kind = metric.kind.marker();
    let value = metric.value_type.variant();
    let labels = metric.labels.iter().map(|label| {
        let (name, budget) = (&label.name, Literal::u32_unsuffixed(label.budget));
        quote!(#private::Label { name: #name, budget: #budget })
    });
    let boundaries = metric.boundaries.as_ref().map(boundaries);
    let assertion = boundaries.as_ref().map(|boundaries| {
        let span = boundaries.span();
        let private = private_at(&metric.root, span);
        quote_spanned!(span=> const _: () = #private::assert_boundaries(#boundaries);)
    });
    let boundaries = boundaries.unwrap_or_else(|| quote!(&[]));
    let series = match metric.series {
        Some(series) => {
            let series = Literal::u32_unsuffixed(series);
            quote!(::core::option::Option::Some(#series))
        }
        None => quote!(::core::option::Option::None),
    };
    let function = metric.function.unraw().to_string();
    let timer = match timer::name(metric).map(|timer| timer.to_string()) {
        Some(timer) => quote!(::core::option::Option::Some(#timer)),
        None => quote!(::core::option::Option::None),
    };
    quote! {
        #assertion
        static DECLARATION: #private::Declaration = #private::Declaration {
            name: #full_name,
            kind: #private::Kind::#kind,
            value: #private::ValueType::#value,
            unit: #unit,
            help: #help,
            labels: &[#(#labels),*],
            boundaries: #boundaries,
            series: #series,
            function: #function,
            timer: #timer,
            module: ::core::module_path!(),
        };
    }
}

/// Generates the marker of the instrument and the number of labels: `Counter<u64>, 2`.
fn instrument(metric: &Metric) -> TokenStream {
    let private = private(&metric.root);
    let marker = metric.kind.marker();
    let value = Ident::new(metric.value_type.rust_type(), Span::call_site());
    let labels = Literal::usize_unsuffixed(metric.labels.len());
    quote!(#private::#marker<::core::primitive::#value>, #labels)
}

/// Generates the catalogue entry of `METRIC`.
fn entry(metric: &Metric) -> TokenStream {
    let private = private(&metric.root);
    quote! {
        #[#private::linkme::distributed_slice(#private::CATALOGUE)]
        #[linkme(crate = #private::linkme)]
        static ENTRY: &'static dyn #private::RegisteredMetric = &METRIC;
    }
}

/// Returns the boundaries as a slice; a list in the declaration has no `&`.
fn boundaries(expression: &Expr) -> TokenStream {
    match expression {
        Expr::Array(_) => quote_spanned!(expression.span()=> &#expression),
        other => other.to_token_stream(),
    }
}
