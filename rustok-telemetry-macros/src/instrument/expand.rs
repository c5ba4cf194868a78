//! Generates the instrumented function around its body.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{GenericArgument, Path, PathArguments, ReturnType, Type, parse_quote};

use super::body::{self, Body, MakesFuture};
use super::events::EventSettings;
use super::in_place::InPlace;
use super::level::Level;
use super::parse::{Function, Sigil};
use super::settings::Settings;
use crate::root::private;

/// The field with the description of the span's status.
const DESCRIPTION: &str = "otel.status_description";

/// Fields for the outcome of a call.
const OUTCOME_FIELDS: [&str; 4] = [
    "error.type",
    "otel.status_code",
    DESCRIPTION,
    "rustok.outcome",
];

/// Generates the instrumented function.
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
    let private = private(&settings.root);
    let body = match body::of(function) {
        Body::Blocking(body) => {
            let returned = written_type(&signature.output);
            let (call, run) = (local("call"), local("body"));
            quote! {
                let #call = #begin;
                let #run = #private::once(move || -> #returned { #body });
                #call.run(#run, #failure)
            }
        }
        Body::InPlace(body) => in_place(function, body, &begin, &failure, &settings.root),
        Body::Asynchronous(body) => {
            let body = typed(&body, &written_type(&signature.output), &private);
            watched(&quote!(async move { #body }), &begin, &failure, &private)
        }
        Body::MakesFuture(makes) => makes_future(&makes, &begin, &failure, &private),
    };
    quote! {
        #(#attributes)*
        #visibility #signature {
            #(#inner_attributes)*
            #body
        }
    }
}

/// Generates the body of a `#[track_caller]` function.
fn in_place(
    function: &Function,
    body: InPlace,
    begin: &TokenStream,
    failure: &TokenStream,
    root: &Path,
) -> TokenStream {
    let private = private(root);
    let body = body.expression(root);
    let returned = written_type(&function.signature.output);
    match returned {
        // The call never finishes, and `!` is not allowed as a generic argument.
        Type::Never(_) => {
            let entered = local("_entered");
            quote! {
                let #entered = #begin.enter(false);
                #body
            }
        }
        returned => {
            let returns = local("returns");
            let fallible = match returned {
                Type::Infer(_) => quote!(false),
                _ => quote!({
                    use #private::{Fallible as _, Infallible as _};
                    (&&#returns).__rustok_is_fallible()
                }),
            };
            quote! {
                let #returns = #private::Returns::<#returned>::new();
                #begin.enter(#fallible).finish(#returns, #body, #failure)
            }
        }
    }
}

/// Generates the body of an asynchronous function. The compiler infers the type from the first `return`, so an
/// unreachable one of the declared type is prepended.
fn typed(body: &TokenStream, returned: &Type, private: &TokenStream) -> TokenStream {
    let first = match returned {
        Type::Never(_) => None,
        returned => Some(quote!(if false { return #private::never_called::<#returned>(); })),
    };
    quote!(#first { #body })
}

fn watched(
    future: &TokenStream,
    begin: &TokenStream,
    failure: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let (call, run) = (local("call"), local("body"));
    quote! {
        let #call = #begin;
        let #run = #future;
        #private::OutcomeFuture::new(#call, #run, #failure).await
    }
}

fn makes_future(
    makes: &MakesFuture,
    begin: &TokenStream,
    failure: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let MakesFuture {
        before,
        boxed_by,
        block,
    } = makes;
    let (attributes, capture) = (&block.attrs, &block.capture);
    let inner = &block.block;
    let body = watched(&quote!(async #capture #inner), begin, failure, private);
    let future = quote!(#(#attributes)* async #capture { #body });
    match boxed_by {
        Some(boxed_by) => quote!(#(#before)* #boxed_by(#future)),
        None => quote!(#(#before)* #future),
    }
}

/// Generates the expression that creates the span and begins the call.
fn begin(function: &Function, settings: &Settings) -> TokenStream {
    let private = private(&settings.root);
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
    // A separate block, so that the user's expressions cannot refer to the static.
    quote!({
        let #new = #span;
        #follows_from
        #private::Call::begin(#new, {
            static SITE: #private::CallMeta = #private::CallMeta { module: #module, severity: #severity };
            &SITE
        })
    })
}

fn span(function: &Function, settings: &Settings) -> TokenStream {
    let Settings {
        root,
        level,
        fields,
        ..
    } = settings;
    let private = private(root);
    let level = level.tokens(root);
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
    let fields = fields.iter().map(|field| field.tokens(root));
    quote! {
        #private::tracing::span!(target: #target, #parent #level, #name, #(#fields,)* #(#outcome,)*)
    }
}

/// Returns a closure that emits the events of the returned value and returns its error.
fn failure(settings: &Settings) -> TokenStream {
    let private = private(&settings.root);
    let own_description = settings.fields.iter().any(|f| f.is_called(DESCRIPTION));
    let describes = settings.err.is_some() && !own_description;
    let span = local(if describes { "span" } else { "_span" });
    let (result, value, error) = (local("result"), local("value"), local("error"));
    let event = |field: &str, given: &EventSettings, format: Sigil, level: &Level, of: &Ident| {
        let target = target(settings);
        let level = given.level.as_ref().unwrap_or(level);
        let level = level.tokens(&settings.root);
        let sigil = given.format.unwrap_or(format);
        let field: TokenStream = field.parse().unwrap_or_default();
        quote!(#private::tracing::event!(target: #target, #level, #field = #sigil #of))
    };
    let err = settings.err.as_ref().map(|(at, given)| {
        let event = event("error", given, Sigil::Display, &Level::error(), &error);
        let format = match given.format {
            Some(Sigil::Debug) => quote!(debug),
            _ => quote!(display),
        };
        let describe = describes.then(
            || quote!(#span.record(#DESCRIPTION, #private::tracing::field::#format(#error));),
        );
        quote_spanned! {*at=>
            if let ::core::result::Result::Err(#error) = #result {
                #event;
                #describe
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
    let described = own_description || settings.err.is_some();
    quote! {
        |#result, #span| {
            use #private::{NamedFailure as _, NoFailure as _, TypedFailure as _};
            #err
            #ret
            #private::Failure::of((&&&#private::Returned(#result)).__rustok_failure(), #described)
        }
    }
}

fn target(settings: &Settings) -> TokenStream {
    match &settings.target {
        Some(target) => target.clone(),
        None => quote!(::core::module_path!()),
    }
}

/// Returns the declared type with `_` for each `impl Trait`, which is allowed in signatures only.
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

/// Returns a variable name that the function's own code cannot refer to.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
