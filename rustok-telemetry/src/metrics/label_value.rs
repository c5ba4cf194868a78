//! Values of labels.

/// Something that can be the value of a label.
///
/// Implemented for strings. An enum gives a label whose values the compiler checks:
/// [`#[derive(LabelValue)]`](derive@crate::LabelValue) names the variants. By hand:
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
pub trait LabelValue {
    /// The value as it appears in the metric.
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
