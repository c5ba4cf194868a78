//! The checked options.

use proc_macro2::{Span, TokenStream};
use syn::{Expr, LitStr, Path};

use super::events::EventSettings;
use super::fields::Field;
use super::level::Level;
use crate::root;

/// The options of one function.
pub(crate) struct Settings {
    /// Path of `rustok_telemetry`.
    pub(crate) root: Path,
    /// The span's name; by default the function's name.
    pub(crate) name: Option<TokenStream>,
    pub(crate) level: Level,
    /// The target; by default the path of the module.
    pub(crate) target: Option<TokenStream>,
    pub(crate) parent: Option<Expr>,
    pub(crate) follows_from: Option<Expr>,
    /// Recorded arguments, other fields and the tenant.
    pub(crate) fields: Vec<Field>,
    pub(crate) module: Option<LitStr>,
    pub(crate) severity: Option<LitStr>,
    pub(crate) err: Option<(Span, EventSettings)>,
    pub(crate) ret: Option<(Span, EventSettings)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            root: root::default(),
            name: None,
            level: Level::default(),
            target: None,
            parent: None,
            follows_from: None,
            fields: Vec::new(),
            module: None,
            severity: None,
            err: None,
            ret: None,
        }
    }
}
