//! One pass over all settings, for each use of them: reading, checking, reporting.
//!
//! [`settings!`] declares a struct of settings and its `visit` function. Each setting is declared once, with its key in
//! the report, its variables (the first that is set wins), its default and, if they are not those of its type, its rules.

use super::{Diagnostic, Reader, ReportLine, Rules, Setting, Source, one_line};

/// What a pass over the settings does.
pub(super) enum Mode<'a> {
    /// Reads each setting. A value that cannot be used is refused and replaced by the default.
    Read(&'a mut Reader),
    /// Adds a line for each setting.
    Report(&'a mut Vec<ReportLine>),
    /// Adds a diagnostic for each value that cannot be used.
    Check(&'a mut Vec<Diagnostic>),
    /// Replaces each value that cannot be used by its default.
    ApplyDefaults,
}

/// A pass over the settings.
pub(super) struct Visitor<'a> {
    mode: Mode<'a>,
    /// The prefix of the report's keys.
    prefix: String,
    /// Keys of the settings whose values could not be used.
    refused: Vec<String>,
}

impl<'a> Visitor<'a> {
    pub(super) fn new(mode: Mode<'a>) -> Self {
        Self {
            mode,
            prefix: String::new(),
            refused: Vec::new(),
        }
    }

    /// Visits settings below `key`.
    pub(super) fn below<T>(&mut self, key: &str, visit: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.prefix.len();
        if !key.is_empty() {
            self.prefix.push_str(key);
            self.prefix.push('.');
        }
        let result = visit(self);
        self.prefix.truncate(outer);
        result
    }

    /// Visits a setting: reads it if there is no `old` one, and returns it as it is after the pass.
    pub(super) fn setting<T: Clone>(
        &mut self,
        old: Option<&Setting<T>>,
        key: &str,
        names: &[&'static str],
        default: T,
        rules: &Rules<'_, T>,
    ) -> Setting<T> {
        let mut setting = match (old, &mut self.mode) {
            (Some(old), _) => old.clone(),
            (None, Mode::Read(reader)) => reader.first_of(names, default.clone(), &*rules.parse),
            (None, _) => Setting::default_value(default.clone()),
        };
        let shown = (rules.show)(&setting.value);
        if self.is_report() {
            self.report(key, &shown, setting.source);
        } else if let Some(why) = (rules.check)(&setting.value) {
            self.refused.push(format!("{}{key}", self.prefix));
            self.refuse(&mut setting, names[0], &shown, default, why);
        }
        setting
    }

    /// Adds a line to the report, if there is one.
    pub(super) fn report(&mut self, key: &str, value: &str, source: Source) {
        if let Mode::Report(lines) = &mut self.mode {
            lines.push(ReportLine {
                name: format!("{}{key}", self.prefix),
                value: one_line(value),
                source,
            });
        }
    }

    /// Whether the value of this setting could not be used.
    pub(super) fn has_refused(&self, key: &str) -> bool {
        self.refused.contains(&format!("{}{key}", self.prefix))
    }

    /// Reports or replaces a value that cannot be used. `name` is the variable that would set it.
    pub(super) fn refuse<T>(
        &mut self,
        setting: &mut Setting<T>,
        name: &'static str,
        shown: &str,
        default: T,
        why: String,
    ) {
        let name = match setting.source {
            Source::Environment(name) => name,
            _ => name,
        };
        match &mut self.mode {
            Mode::Read(reader) => reader.refuse(name, why),
            Mode::Check(_) => {
                let value = shown.trim_end_matches(" ms");
                return self.diagnostic(Diagnostic::of_value(name, value, why), setting.source);
            }
            Mode::Report(_) => return,
            Mode::ApplyDefaults => {}
        }
        *setting = Setting::default_value(default);
    }

    /// Adds a diagnostic if values are checked.
    pub(super) fn diagnostic(&mut self, diagnostic: Diagnostic, source: Source) {
        if let Mode::Check(diagnostics) = &mut self.mode {
            diagnostics.push(diagnostic.from(source));
        }
    }

    /// Returns the reader if settings are read.
    pub(super) fn reader(&mut self) -> Option<&mut Reader> {
        match &mut self.mode {
            Mode::Read(reader) => Some(reader),
            _ => None,
        }
    }

    /// Whether this pass reports the settings.
    pub(super) fn is_report(&self) -> bool {
        matches!(self.mode, Mode::Report(_))
    }

    /// Whether values that cannot be used get their defaults.
    pub(super) fn applies_defaults(&self) -> bool {
        matches!(self.mode, Mode::Read(_) | Mode::ApplyDefaults)
    }
}

/// Declares a struct of settings and its `visit` function. A field is one of
///
/// - `name: Setting<T> = setting("key", [variables], default)`, with its [`Rules`] last if they are not those of `T`,
/// - `name: T = by("key", function, arguments…)`, visited by that function, below the key unless it is empty,
/// - `name: T = is(value)` or `name: T = kept()`, which is no setting.
///
/// Expressions may name the parameters of the struct and the fields above.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident($($parameter:ident: $parameter_type:ty),*) {
            $($(#[$field_meta:meta])* $field:ident: $type:ty = $how:ident($($what:tt)*),)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $name {
            /// Visits each setting; without `old` ones they are read.
            pub(super) fn visit(
                old: Option<&Self>,
                visitor: &mut $crate::config::visitor::Visitor<'_>,
                $($parameter: $parameter_type,)*
            ) -> Self {
                $(let $field: $type = $crate::config::visitor::settings!(
                    @$how visitor, old.map(|old| &old.$field), $($what)*
                );)*
                Self { $($field),* }
            }
        }
    };
    (@setting $visitor:ident, $old:expr, $key:literal, $names:expr, $default:expr) => {
        $crate::config::visitor::settings!(
            @setting $visitor, $old, $key, $names, $default, $crate::config::rules::Rules::new()
        )
    };
    (@setting $visitor:ident, $old:expr, $key:literal, $names:expr, $default:expr, $rules:expr) => {
        $visitor.setting($old, $key, &$names, $default, &$rules)
    };
    (@by $visitor:ident, $old:expr, $key:literal, $function:path $(, $argument:expr)*) => {
        $visitor.below($key, |visitor| $function($old, visitor $(, $argument)*))
    };
    (@is $visitor:ident, $old:expr, $value:expr) => {
        $value
    };
    (@kept $visitor:ident, $old:expr,) => {
        $old.cloned().unwrap_or_default()
    };
}
pub(super) use settings;
