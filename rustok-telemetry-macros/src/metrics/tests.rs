//! Expansions of whole modules. `rustok-telemetry/tests/ui` compiles them.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{File, Item, parse_quote, parse2};

#[test]
fn declaration_becomes_a_function() {
    let expanded = expand(quote! {
        /// Orders placed.
        ///
        /// By anyone.
        #[must_use]
        #[counter(name = "placed_total", series = 50, also = super::also)]
        pub(crate) fn record_order(#[label(budget = 5)] r#type: &str, orders: u64);
    });
    let expected: Item = parse_quote! {
        /// Orders placed.
        ///
        /// By anyone.
        #[doc = ""]
        #[doc = " Counter `shop_placed_total`. Labels: `type` (at most 5 values). At most 50 series."]
        #[must_use]
        pub(crate) fn record_order(r#type: &str, orders: u64) {
            static DECLARATION: ::rustok_telemetry::__private::Declaration =
                ::rustok_telemetry::__private::Declaration {
                    name: "shop_placed_total",
                    kind: ::rustok_telemetry::__private::Kind::Counter,
                    value: ::rustok_telemetry::__private::ValueType::U64,
                    unit: "",
                    help: "Orders placed.",
                    labels: &[::rustok_telemetry::__private::Label { name: "type", budget: 5 }],
                    boundaries: &[],
                    series: ::core::option::Option::Some(50),
                    function: "record_order",
                    timer: ::core::option::Option::None,
                    module: ::core::module_path!(),
                };
            static METRIC: ::rustok_telemetry::__private::Metric<
                ::rustok_telemetry::__private::Counter<::core::primitive::u64>, 1
            > = ::rustok_telemetry::__private::Metric::new(&DECLARATION);
            #[::rustok_telemetry::__private::linkme::distributed_slice(
                ::rustok_telemetry::__private::CATALOGUE
            )]
            #[linkme(crate = ::rustok_telemetry::__private::linkme)]
            static ENTRY: &'static dyn ::rustok_telemetry::__private::RegisteredMetric = &METRIC;
            if METRIC.record([::rustok_telemetry::__private::LabelValue::as_label(&r#type)], orders) {
            super::also(::rustok_telemetry::__private::LabelValue::as_label(&r#type), orders);
            }
        }
    };
    assert_eq!(text(&only(items(expanded))), text(&expected));
}

#[test]
fn observable_becomes_only_a_catalogue_entry() {
    let expanded = expand(quote! {
        /// Share of hits.
        #[observable_gauge(name = "hit_rate", unit = "1", observe = super::report)]
        #[cfg(unix)]
        fn hit_rate(cache: &str) -> f64;
    });
    let Item::Const(entry) = only(items(expanded)) else {
        panic!("not a constant");
    };
    assert_eq!(entry.ident, "_");
    assert_eq!(entry.attrs.len(), 1);
    let text = text(&entry);
    let made = quote!(::rustok_telemetry::__private::Observable::new(
        &DECLARATION,
        super::report
    ));
    assert!(text.contains(&made.to_string()), "{text}");
}

#[test]
fn list_of_boundaries_becomes_a_slice() {
    let expanded = expand(quote! {
        /// Time spent waiting.
        #[histogram(name = "wait_seconds", boundaries = [0.1, 1.0])]
        fn record_wait(seconds: f64);
    });
    let text = all_text(&items(expanded));
    let check = quote!(
        const _: () = ::rustok_telemetry::__private::assert_boundaries(&[0.1, 1.0]);
    );
    assert!(text.contains(&check.to_string()), "{text}");
    assert!(
        text.contains(&quote!(boundaries: &[0.1, 1.0]).to_string()),
        "{text}"
    );
    assert!(text.contains(&quote!(unit: "s").to_string()), "{text}");
}

#[test]
fn histogram_of_seconds_has_a_timer() {
    let items = items(expand(quote! {
        /// Time spent waiting.
        #[doc(hidden)]
        #[histogram(name = "wait_seconds", boundaries = [0.1, 1.0], also = super::also)]
        #[cfg(unix)]
        pub fn record_wait(queue: &str, kind: &'static str, how: impl LabelValue + Copy, seconds: f64);
    }));
    let timer: Item = parse_quote! {
        #[doc = " Starts a timer: [`record_wait`] with the seconds from now until it is dropped or stopped."]
        #[doc = ""]
        #[doc = " Histogram `shop_wait_seconds`."]
        #[doc(hidden)]
        #[cfg(unix)]
        pub fn time_wait<'timed>(
            queue: &'timed str,
            kind: &'static str,
            how: &'timed (impl LabelValue + Copy + ?::core::marker::Sized)
        ) -> ::rustok_telemetry::__private::Timer<'timed, 3> {
            ::rustok_telemetry::__private::Timer::start([
                ::rustok_telemetry::__private::LabelValue::as_label(queue),
                ::rustok_telemetry::__private::LabelValue::as_label(kind),
                ::rustok_telemetry::__private::LabelValue::as_label(how)
            ], __record_wait)
        }
    };
    assert_eq!(items.len(), 3);
    assert_eq!(text(&items[1]), text(&timer));
    let recorder = text(&items[2]);
    let called = quote!(
        if METRIC.record([labels[0], labels[1], labels[2]], seconds) {
            super::also(labels[0], labels[1], labels[2], seconds);
        }
    );
    assert!(recorder.contains(&called.to_string()), "{recorder}");
}

#[test]
fn other_histograms_have_no_timer() {
    let expanded = expand(quote! {
        /// Size of answers.
        #[histogram(name = "answer_bytes", boundaries = [1.0])]
        pub fn record_answer(bytes: f64);
        /// Whole seconds.
        #[histogram(name = "age_seconds", boundaries = [1.0])]
        pub fn record_age(seconds: u64);
    });
    assert_eq!(items(expanded).len(), 2);
}

#[test]
fn other_items_stay() {
    let others = quote! {
        use std::time::Duration;
        const LIMIT: u64 = 3;
        fn function() -> u64 { LIMIT }
    };
    let expected: File = parse_quote!(#others);
    assert_eq!(items(expand(others)), expected.items);
}

#[test]
fn all_errors_are_reported_and_functions_remain() {
    let expanded = expand(quote! {
        #[counter(name = "Orders")]
        pub fn record_order(#[label(budget = 0)] shop: &str, kind: String);

        /// Fine.
        #[counter(name = "fine_total")]
        pub fn record_fine();

        #[gauge(name = "stock_total")]
        pub fn update_stock(shop: &str, stock: u64);
    });
    let file = file(expanded);
    let errors = file
        .items
        .iter()
        .filter(|item| matches!(item, Item::Macro(_)));
    assert_eq!(errors.count(), 6);
    let items = module_items(file);
    let stub: Item = parse_quote! {
        pub fn record_order(shop: &str, kind: String) {
            let _ = (shop, kind,);
        }
    };
    assert_eq!(items.len(), 3);
    assert_eq!(items[0], stub);
}

#[test]
fn functions_remain_after_an_error_on_the_module() {
    let item = quote! {
        mod declared {
            /// Fine.
            #[counter(name = "fine_total")]
            pub fn record_fine();
        }
    };
    let file = file(super::expand(quote!(), item));
    assert_eq!(file.items.len(), 2);
    assert!(
        matches!(only(module_items(file)), Item::Fn(function) if function.sig.ident == "record_fine")
    );
}

#[test]
fn an_item_that_is_not_a_module_stays() {
    let function = quote!(
        fn function() {}
    );
    let file = file(super::expand(quote!(namespace = "shop"), function.clone()));
    let expected: Item = parse_quote!(#function);
    assert_eq!(file.items.len(), 2);
    assert_eq!(file.items[0], expected);
}

#[test]
fn module_in_another_file_is_rejected() {
    let expanded = super::expand(
        quote!(namespace = "shop"),
        quote!(
            pub mod declared;
        ),
    );
    let text = expanded.to_string();
    assert!(
        text.contains("cannot read the file of the module `declared`"),
        "{text}"
    );
}

/// Returns the expansion of a module's items.
fn expand(items: TokenStream) -> TokenStream {
    super::expand(
        quote!(namespace = "shop"),
        quote!(pub mod declared { #items }),
    )
}

fn items(expanded: TokenStream) -> Vec<Item> {
    let file = file(expanded);
    assert_eq!(file.items.len(), 1, "{}", text(&file));
    module_items(file)
}

fn file(expanded: TokenStream) -> File {
    parse2(expanded).expect("the expansion is Rust")
}

fn module_items(file: File) -> Vec<Item> {
    match file.items.into_iter().next() {
        Some(Item::Mod(module)) => module.content.expect("the module is inline").1,
        other => panic!("not a module: {other:?}"),
    }
}

fn only(items: Vec<Item>) -> Item {
    assert_eq!(items.len(), 1, "{items:?}");
    items.into_iter().next().expect("there is one")
}

fn all_text(items: &[Item]) -> String {
    items.iter().map(text).collect()
}

fn text(of: &impl quote::ToTokens) -> String {
    of.to_token_stream().to_string()
}
