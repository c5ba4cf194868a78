//! Types of parameters: labels, values, and suggestions for other types.

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Type, TypeParamBound, TypePath};

use super::kind::{Kind, ValueType};

/// Number types that no instrument accepts.
const OTHER_NUMBERS: [&str; 10] = [
    "u8", "u16", "u32", "u128", "usize", "i8", "i16", "i32", "i128", "isize",
];

/// The role of a parameter, which follows from its type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Label,
    /// A number; `None` if no instrument accepts its type.
    Number(Option<ValueType>),
    /// Neither, with a suggestion.
    Unsupported(String),
}

/// Returns the role of a parameter of this type.
pub(crate) fn role(of: &Type, kind: Kind) -> Role {
    match of {
        Type::Group(group) => role(&group.elem, kind),
        Type::Paren(inner) => role(&inner.elem, kind),
        Type::Reference(reference) => {
            let target = role_name(&reference.elem);
            match target.as_deref() {
                Some("str") if reference.mutability.is_none() => Role::Label,
                Some(number) if is_number(number) => {
                    Role::Unsupported(format!("take the number itself, `{number}`"))
                }
                Some(name) if reference.mutability.is_none() => other_type(name, kind),
                name => Role::Unsupported(label_hint(name)),
            }
        }
        Type::ImplTrait(implementing) => {
            let is_label_value = |bound: &TypeParamBound| match bound {
                TypeParamBound::Trait(bound) => bound
                    .path
                    .segments
                    .last()
                    .is_some_and(|segment| segment.ident == "LabelValue"),
                _ => false,
            };
            if implementing.bounds.iter().any(is_label_value) && !(kind.is_observable()) {
                Role::Label
            } else {
                Role::Unsupported(if kind.is_observable() {
                    "the labels of an observable are `&str`".to_owned()
                } else {
                    label_hint(None)
                })
            }
        }
        other => match role_name(other).as_deref() {
            Some(name) if is_number(name) => Role::Number(ValueType::from_rust_type(name)),
            Some("Duration") => Role::Unsupported(
                "take seconds as `f64`, and end the metric's name in `_seconds`".to_owned(),
            ),
            Some("Option") => Role::Unsupported(
                "take a label as `&str`, with a value such as `none` if there is none".to_owned(),
            ),
            Some(name) => other_type(name, kind),
            None => Role::Unsupported(label_hint(None)),
        },
    }
}

/// Returns the role of a type of the user's, or of `std`. The compiler checks that it implements `LabelValue`.
fn other_type(name: &str, kind: Kind) -> Role {
    let is_known = [
        "Arc", "Box", "Cow", "Duration", "Option", "Rc", "String", "bool", "char", "str",
    ]
    .contains(&name);
    match is_known || kind.is_observable() {
        true => Role::Unsupported(label_hint(Some(name))),
        false => Role::Label,
    }
}

/// Returns the value type, or a suggestion if the type is none.
pub(crate) fn value_type(of: &Type, kind: Kind) -> Result<ValueType, String> {
    let found = match role(of, kind) {
        Role::Number(Some(found)) => Some(found),
        _ => None,
    };
    match found.filter(|found| kind.values().contains(found)) {
        Some(found) => Ok(found),
        None => Err(suggested_number(of, kind)),
    }
}

/// Suggests a number type in place of `of`.
pub(crate) fn suggested_number(of: &Type, kind: Kind) -> String {
    let name = role_name(of);
    let expected = match name.as_deref() {
        Some(float) if float.starts_with('f') => ValueType::F64,
        Some(unsigned) if unsigned.starts_with('u') => ValueType::U64,
        Some(signed) if signed.starts_with('i') => ValueType::I64,
        _ => return format!("write {}", kind.values_in_words()),
    };
    let falls =
        expected == ValueType::I64 && matches!(kind, Kind::Counter | Kind::ObservableCounter);
    match (kind.values().contains(&expected), falls) {
        (true, _) => format!("write `{}`", expected.rust_type()),
        (false, true) => format!(
            "write {}; for values that decrease, use an up-down counter or a gauge",
            kind.values_in_words()
        ),
        (false, false) => format!("write {}", kind.values_in_words()),
    }
}

/// Returns a type as source text.
pub(crate) fn written(of: &impl ToTokens) -> String {
    let tokens = of.to_token_stream().to_string();
    [
        (" :: ", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" ,", ","),
        (" ;", ";"),
    ]
    .into_iter()
    .fold(tokens, |text, (from, to)| text.replace(from, to))
}

/// Returns the last segment of a path without generic types, or of a type that its name alone identifies.
fn role_name(of: &Type) -> Option<String> {
    match of {
        Type::Path(TypePath { qself: None, path }) => {
            let last = path.segments.last()?;
            let plain = match &last.arguments {
                PathArguments::None => true,
                PathArguments::AngleBracketed(arguments) => arguments.args.iter().all(|argument| {
                    matches!(
                        argument,
                        GenericArgument::Type(_) | GenericArgument::Lifetime(_)
                    )
                }),
                PathArguments::Parenthesized(_) => false,
            };
            plain.then(|| last.ident.to_string())
        }
        Type::Group(group) => role_name(&group.elem),
        _ => None,
    }
}

fn is_number(name: &str) -> bool {
    ValueType::from_rust_type(name).is_some() || name == "f32" || OTHER_NUMBERS.contains(&name)
}

fn label_hint(name: Option<&str>) -> String {
    match name {
        Some("String" | "str" | "Cow" | "Box" | "Arc" | "Rc") => {
            "take text as `&str`: recording copies it if needed".to_owned()
        }
        Some("bool") => {
            "take a label as `&str`, such as `\"true\"`; a value of 0 or 1 as a number".to_owned()
        }
        Some("char") => "take text as `&str`".to_owned(),
        _ => "take a label as `&str` or as an enum with `#[derive(LabelValue)]`, and the value as \
              `u64`, `i64` or `f64`"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use syn::{Type, parse_quote};

    use super::{Kind, Role, ValueType, role, value_type, written};

    #[test]
    fn types_are_shown_as_written() {
        let of: Type = parse_quote!(&mut Cow<'_, [a::b; 3]>);
        assert_eq!(written(&of), "&mut Cow<'_, [a::b; 3]>");
    }

    #[test]
    fn labels_are_text_and_types_of_the_users() {
        let labels: [Type; 6] = [
            parse_quote!(Channel),
            parse_quote!(&shop::Channel),
            parse_quote!(&str),
            parse_quote!(&'static str),
            parse_quote!(impl LabelValue),
            parse_quote!(impl rustok_telemetry::metrics::LabelValue + Copy),
        ];
        for label in labels {
            assert_eq!(role(&label, Kind::Counter), Role::Label, "{label:?}");
        }
    }

    #[test]
    fn hints_name_the_right_type() {
        let hint = |of: Type, kind| match role(&of, kind) {
            Role::Unsupported(hint) => hint,
            other => format!("{other:?}"),
        };
        for text in [
            parse_quote!(String),
            parse_quote!(&String),
            parse_quote!(Cow<'_, str>),
            parse_quote!(&mut str),
        ] {
            assert!(hint(text, Kind::Counter).starts_with("take text as `&str`"));
        }
        assert_eq!(
            hint(parse_quote!(&u64), Kind::Counter),
            "take the number itself, `u64`"
        );
        assert!(hint(parse_quote!(Duration), Kind::Histogram).contains("`f64`"));
        assert!(hint(parse_quote!(&[u8]), Kind::Counter).contains("derive(LabelValue)"));
        assert!(hint(parse_quote!(impl ToString), Kind::Counter).contains("derive(LabelValue)"));
        assert!(hint(parse_quote!(Channel), Kind::ObservableGauge).contains("`&str`"));
        assert!(hint(parse_quote!(impl LabelValue), Kind::ObservableGauge).contains("`&str`"));
    }

    #[test]
    fn numbers_are_those_of_the_kind() {
        assert_eq!(
            value_type(&parse_quote!(u64), Kind::Counter),
            Ok(ValueType::U64)
        );
        assert_eq!(
            value_type(&parse_quote!(i32), Kind::Gauge),
            Err("write `i64`".to_owned())
        );
        assert_eq!(
            value_type(&parse_quote!(f32), Kind::Histogram),
            Err("write `f64`".to_owned())
        );
        assert_eq!(
            value_type(&parse_quote!(usize), Kind::UpDownCounter),
            Err("write `i64` or `f64`".to_owned())
        );
        let counter = value_type(&parse_quote!(i64), Kind::Counter);
        assert!(counter.is_err_and(|hint| hint.contains("for values that decrease")));
    }
}
