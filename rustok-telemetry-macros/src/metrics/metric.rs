//! A checked declaration.

use proc_macro2::Ident;
use syn::{Attribute, Expr, Path, Type, Visibility};

use super::kind::{Kind, ValueType};

/// Default budget of distinct values of a label, equal to `rustok_telemetry::metrics::DEFAULT_LABEL_BUDGET`.
pub(crate) const DEFAULT_LABEL_BUDGET: u32 = 100;

/// The input of the expansion.
pub(crate) struct Metric {
    /// Path of `rustok_telemetry`.
    pub(crate) root: Path,
    pub(crate) kind: Kind,
    pub(crate) value_type: ValueType,
    /// Namespace, subsystem and name.
    pub(crate) full_name: String,
    pub(crate) unit: String,
    pub(crate) help: String,
    /// Doc attributes.
    pub(crate) docs: Vec<Attribute>,
    /// Other attributes.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) function: Ident,
    pub(crate) labels: Vec<Label>,
    /// The parameter that holds the value.
    pub(crate) value: Option<Value>,
    pub(crate) boundaries: Option<Expr>,
    pub(crate) series: Option<u32>,
    pub(crate) also: Option<Path>,
    pub(crate) observe: Option<Path>,
}

/// A label and the parameter that holds it.
pub(crate) struct Label {
    pub(crate) parameter: Ident,
    pub(crate) parameter_type: Type,
    pub(crate) name: String,
    pub(crate) budget: u32,
}

/// The parameter that holds the value.
pub(crate) struct Value {
    pub(crate) parameter: Ident,
    pub(crate) parameter_type: Type,
    pub(crate) value_type: ValueType,
}
