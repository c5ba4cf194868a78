//! Label values.

/// A type whose values can be label values.
///
/// Implemented for strings. An enum makes the compiler check the label's values; derive the trait with
/// [`#[derive(LabelValue)]`](derive@crate::LabelValue), or implement it:
///
/// ```
/// use rustok_telemetry::LabelValue;
///
/// enum Outcome { Hit, Miss }
///
/// impl LabelValue for Outcome {
///     fn as_label(&self) -> &str {
///         match self { Outcome::Hit => "hit", Outcome::Miss => "miss" }
///     }
/// }
/// assert_eq!(Outcome::Hit.as_label(), "hit");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no label value",
    label = "does not implement `LabelValue`",
    note = "add `#[derive(rustok_telemetry::LabelValue)]` to an enum, or pass a `&str`"
)]
pub trait LabelValue {
    /// Returns the label value.
    fn as_label(&self) -> &str;
}

impl LabelValue for str {
    fn as_label(&self) -> &str {
        self
    }
}

impl LabelValue for String {
    fn as_label(&self) -> &str {
        self
    }
}

impl<T: LabelValue + ?Sized> LabelValue for &T {
    fn as_label(&self) -> &str {
        (**self).as_label()
    }
}
