//! Writes the function anew, around its body.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{GenericArgument, PathArguments, ReturnType, Type, parse_quote};

use super::body::{self, Body, MakesFuture};
use super::events::EventSettings;
use super::level::Level;
use super::parse::{Function, Sigil};
use super::settings::Settings;

/// Fields that a call's outcome is recorded in.
const OUTCOME_FIELDS: [&str; 3] = ["error.type", "otel.status_code", "rustok.outcome"];

/// The function, instrumented.
pub(crate) fn function(function: &Function, settings: &Settings) -> TokenStream {
    let Function {
        attributes,
        visibility,
        signature,
        inner_attributes,
        ..
    } = function;
    let begin = begin(function, settings);
    let failure = failure(settings);
    let body = match body::of(function) {
        Body::Blocking(body) => blocking(function, &begin, &failure, &body),
        Body::Asynchronous(body) => {
            // Without this the compiler would take the type of the body's first `return` for the function's.
            let returned = written_type(&signature.output);
            let value = local("value");
            let body = quote! {
                #[allow(
                    unreachable_code, clippy::diverging_sub_expression, clippy::let_unit_value,
                    clippy::let_with_type_underscore, clippy::needless_return
                )]
                if false {
                    let #value: #returned = loop {};
                    return #value;
                }
                { #body }
            };
            watched(&quote!(async move { #body }), &begin, &failure)
        }
        Body::MakesFuture(makes) => makes_future(&makes, &begin, &failure),
    };
    quote! {
        #(#attributes)*
        #visibility #signature {
            #(#inner_attributes)*
            #body
        }
    }
}

fn blocking(
    function: &Function,
    begin: &TokenStream,
    failure: &TokenStream,
    body: &TokenStream,
) -> TokenStream {
    let private = private();
    let returned = written_type(&function.signature.output);
    let (call, run) = (local("call"), local("body"));
    quote! {
        let #call = #begin;
        let #run = #private::once(move || -> #returned { #body });
        #call.run(#run, #failure)
    }
}

fn watched(future: &TokenStream, begin: &TokenStream, failure: &TokenStream) -> TokenStream {
    let private = private();
    let (call, run) = (local("call"), local("body"));
    quote! {
        let #call = #begin;
        let #run = #future;
        #private::Watched::new(#call, #run, #failure).await
    }
}

fn makes_future(makes: &MakesFuture, begin: &TokenStream, failure: &TokenStream) -> TokenStream {
    let MakesFuture {
        before,
        boxed_by,
        block,
    } = makes;
    let (attributes, capture) = (&block.attrs, &block.capture);
    let inner = &block.block;
    let body = watched(&quote!(async #capture #inner), begin, failure);
    let future = quote!(#(#attributes)* async #capture { #body });
    match boxed_by {
        Some(boxed_by) => quote!(#(#before)* #boxed_by(#future)),
        None => quote!(#(#before)* #future),
    }
}

/// The call, within its new span.
fn begin(function: &Function, settings: &Settings) -> TokenStream {
    let private = private();
    let span = span(function, settings);
    let new = local("span");
    let follows_from = settings.follows_from.as_ref().map(|causes| {
        let cause = local("cause");
        quote! {
            if !#new.is_disabled() {
                for #cause in #causes {
                    #new.follows_from(#cause);
                }
            }
        }
    });
    let module = match &settings.module {
        Some(module) => quote!(::core::option::Option::Some(#module)),
        None => quote!(::core::option::Option::None),
    };
    let severity = match &settings.severity {
        Some(severity) => quote!(#severity),
        None => quote!("error"),
    };
    // The static is in a block of its own, where no expression of the user's can see it.
    quote!({
        let #new = #span;
        #follows_from
        #private::Call::begin(#new, {
            static SITE: #private::Site = #private::Site { module: #module, severity: #severity };
            &SITE
        })
    })
}

fn span(function: &Function, settings: &Settings) -> TokenStream {
    let private = private();
    let Settings { level, fields, .. } = settings;
    let name = match &settings.name {
        Some(name) => name.clone(),
        None => {
            let name = function.signature.ident.unraw().to_string();
            quote!(#name)
        }
    };
    let target = target(settings);
    let parent = settings
        .parent
        .as_ref()
        .map(|parent| quote!(parent: #parent,));
    let outcome = OUTCOME_FIELDS
        .iter()
        .filter(|outcome| !fields.iter().any(|field| field.is_called(outcome)))
        .map(|outcome| {
            let parts = outcome.split('.').map(|part| match part {
                "type" => Ident::new_raw(part, Span::call_site()),
                part => Ident::new(part, Span::call_site()),
            });
            quote!(#(#parts).* = #private::tracing::field::Empty)
        });
    quote! {
        #private::tracing::span!(target: #target, #parent #level, #name, #(#fields,)* #(#outcome,)*)
    }
}

/// A closure that looks at what was returned: tells of it, and says whether it is an error.
fn failure(settings: &Settings) -> TokenStream {
    let private = private();
    let (result, value, error) = (local("result"), local("value"), local("error"));
    let event = |field: &str, given: &EventSettings, format: Sigil, level: &Level, of: &Ident| {
        let target = target(settings);
        let level = given.level.as_ref().unwrap_or(level);
        let sigil = given.format.unwrap_or(format);
        let field: TokenStream = field.parse().unwrap_or_default();
        quote!(#private::tracing::event!(target: #target, #level, #field = #sigil #of))
    };
    let err = settings.err.as_ref().map(|(span, given)| {
        let event = event("error", given, Sigil::Display, &Level::error(), &error);
        quote_spanned! {*span=>
            if let ::core::result::Result::Err(#error) = #result {
                #event;
            }
        }
    });
    let ret = settings.ret.as_ref().map(|(span, given)| {
        let event = |of: &Ident| event("return", given, Sigil::Debug, &settings.level, of);
        match &settings.err {
            Some(_) => {
                let event = event(&value);
                quote_spanned! {*span=>
                    if let ::core::result::Result::Ok(#value) = #result {
                        #event;
                    }
                }
            }
            None => {
                let event = event(&result);
                quote_spanned!(*span=> #event;)
            }
        }
    });
    quote! {
        |#result| {
            use #private::{NamedFailure as _, NoFailure as _, TypedFailure as _};
            #err
            #ret
            (&&&#private::Returned(#result)).__rustok_failure()
        }
    }
}

fn target(settings: &Settings) -> TokenStream {
    match &settings.target {
        Some(target) => target.clone(),
        None => quote!(::core::module_path!()),
    }
}

/// The declared type, with `_` for each `impl Trait`, which may stand in a signature only.
fn written_type(output: &ReturnType) -> Type {
    match output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, written) => {
            let mut written = (**written).clone();
            erase(&mut written);
            written
        }
    }
}

fn erase(written: &mut Type) {
    match written {
        Type::ImplTrait(_) => *written = parse_quote!(_),
        Type::Group(group) => erase(&mut group.elem),
        Type::Paren(parens) => erase(&mut parens.elem),
        Type::Reference(reference) => erase(&mut reference.elem),
        Type::Array(array) => erase(&mut array.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase),
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                    for argument in &mut arguments.args {
                        if let GenericArgument::Type(argument) = argument {
                            erase(argument);
                        }
                    }
                }
            }
        }
        _ => {}
    }
}

/// A variable that the function's own code cannot see.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn private() -> TokenStream {
    quote!(::rustok_telemetry::__private)
}
