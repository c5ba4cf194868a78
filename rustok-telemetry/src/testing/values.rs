//! Attribute values in assertions.

use std::fmt::{self, Display};

use opentelemetry::Value;

/// An expected value of [`CapturedSpan::assert_attribute`](super::CapturedSpan::assert_attribute): text, an integer, a
/// float, a boolean, or any [`Value`] of OpenTelemetry. Types are compared: `200` is not `"200"`.
///
/// An integer above [`i64::MAX`] is text, because it is exported as text.
pub trait AttributeValue: sealed::Sealed {
    /// Converts to a value of OpenTelemetry.
    fn into_value(self) -> Value;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! attribute_value {
    ($($type:ty: |$value:ident| $into:expr;)*) => {$(
        impl sealed::Sealed for $type {}

        impl AttributeValue for $type {
            fn into_value(self) -> Value {
                let $value = self;
                $into
            }
        }
    )*};
}

attribute_value! {
    &str: |value| value.to_owned().into();
    String: |value| value.into();
    &String: |value| value.clone().into();
    bool: |value| value.into();
    f64: |value| value.into();
    f32: |value| f64::from(value).into();
    i64: |value| value.into();
    i32: |value| i64::from(value).into();
    u8: |value| i64::from(value).into();
    u16: |value| i64::from(value).into();
    u32: |value| i64::from(value).into();
    u64: |value| integer(value);
    usize: |value| integer(value);
    Value: |value| value;
}

fn integer(value: impl TryInto<i64> + ToString + Copy) -> Value {
    let integer = value.try_into().map(Value::from);
    integer.unwrap_or_else(|_| value.to_string().into())
}

/// Displays a value with its type: `int 200`, `string "200"`.
pub(super) struct Typed<'a>(pub(super) &'a Value);

impl Display for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Bool(value) => write!(f, "bool {value}"),
            Value::I64(value) => write!(f, "int {value}"),
            Value::F64(value) => write!(f, "double {value}"),
            Value::String(value) => write!(f, "string {:?}", value.as_str()),
            Value::Array(values) => write!(f, "array {values}"),
            other => write!(f, "{other:?}"),
        }
    }
}
