//! What the options mean, once all of them are found to be right.

use proc_macro2::{Span, TokenStream};
use syn::{Expr, LitStr};

use super::events::EventSettings;
use super::fields::Field;
use super::level::Level;

/// The options of one function.
#[derive(Default)]
pub(crate) struct Settings {
    /// The span's name, when it is not the function's.
    pub(crate) name: Option<TokenStream>,
    pub(crate) level: Level,
    /// The target, when it is not the module's path.
    pub(crate) target: Option<TokenStream>,
    pub(crate) parent: Option<Expr>,
    pub(crate) follows_from: Option<Expr>,
    /// The recorded arguments, the fields, the tenant.
    pub(crate) fields: Vec<Field>,
    pub(crate) module: Option<LitStr>,
    pub(crate) severity: Option<LitStr>,
    pub(crate) err: Option<(Span, EventSettings)>,
    pub(crate) ret: Option<(Span, EventSettings)>,
}
