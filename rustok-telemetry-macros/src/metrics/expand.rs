//! Writes the code of a metric.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::docs;
use super::metric::Metric;

/// The function that records the metric and puts it into the catalogue.
/// An observable is in the catalogue alone, since nobody calls it.
pub(crate) fn metric(metric: &Metric) -> TokenStream {
    match &metric.observe {
        Some(observe) => observable(metric, &observe.to_token_stream()),
        None => recorder(metric),
    }
}

fn recorder(metric: &Metric) -> TokenStream {
    let private = private();
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
    let declaration = declaration(metric);
    let static_type = instrument(metric);
    let entry = entry();
    let label_values: Vec<_> = metric
        .labels
        .iter()
        .map(|label| {
            let name = &label.parameter;
            let private = private_at(name.span());
            quote_spanned!(name.span()=> #private::LabelValue::as_label(&#name))
        })
        .collect();
    let recorded = match &metric.value {
        Some(value) => value.parameter.to_token_stream(),
        None => quote!(1),
    };
    let record = quote!(METRIC.record([#(#label_values),*], #recorded));
    let record = metric.also.as_ref().map_or(quote!(#record;), |also| {
        let value = metric.value.iter().map(|value| &value.parameter);
        let value = value.map(ToTokens::to_token_stream);
        let arguments = label_values.iter().cloned().chain(value);
        let call = quote_spanned!(also.span()=> #also(#(#arguments),*););
        quote!(if #record { #call })
    });
    quote! {
        #(#docs)*
        #[doc = ""]
        #[doc = #paragraph]
        #(#attributes)*
        #visibility fn #function(#(#parameters),*) {
            #declaration
            static METRIC: #private::Metric<#static_type> = #private::Metric::new(&DECLARATION);
            #entry
            #record
        }
    }
}

fn observable(metric: &Metric, observe: &TokenStream) -> TokenStream {
    let private = private();
    let attributes = &metric.attributes;
    let declaration = declaration(metric);
    let static_type = instrument(metric);
    let entry = entry();
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

/// `static DECLARATION`, and the check of its boundaries.
fn declaration(metric: &Metric) -> TokenStream {
    let private = private();
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
        let private = private_at(span);
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
            module: ::core::module_path!(),
        };
    }
}

/// `Counter<u64>, 2`: the instrument's marker and the number of labels.
fn instrument(metric: &Metric) -> TokenStream {
    let private = private();
    let marker = metric.kind.marker();
    let value = Ident::new(metric.value_type.rust_type(), Span::call_site());
    let labels = Literal::usize_unsuffixed(metric.labels.len());
    quote!(#private::#marker<::core::primitive::#value>, #labels)
}

/// Puts `METRIC` into the catalogue.
fn entry() -> TokenStream {
    let private = private();
    quote! {
        #[#private::linkme::distributed_slice(#private::CATALOGUE)]
        #[linkme(crate = #private::linkme)]
        static ENTRY: &'static dyn #private::Registered = &METRIC;
    }
}

/// The boundaries as a slice: a list is written without `&`.
fn boundaries(expression: &Expr) -> TokenStream {
    match expression {
        Expr::Array(_) => quote_spanned!(expression.span()=> &#expression),
        other => other.to_token_stream(),
    }
}

/// Where the runtime keeps what generated code needs.
fn private() -> TokenStream {
    private_at(Span::call_site())
}

/// The same, where an error of the compiler should point to `span`.
fn private_at(span: Span) -> TokenStream {
    quote_spanned!(span=> ::rustok_telemetry::__private)
}
