//! The whole configuration.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::choice::Choice;
use super::env::{Reader, process_variables};
use super::error::{ConfigError, Diagnostic, sort};
use super::log_filter::{self, parse_directives};
use super::log_level::LogLevel;
use super::logs::LogsConfig;
use super::metrics::MetricsConfig;
use super::parse;
use super::report::Report;
use super::resource::{
    PROPAGATORS, Propagator, Resource, default_propagators, disabled_propagators, read_propagators,
    read_resource,
};
use super::setting::{Setting, Source};
use super::traces::TracesConfig;
use super::unused::refuse_unused;
use super::variables::{LOG_FILTER, STRICT};

/// The whole configuration: every setting, with its source.
///
/// Read it from the environment, override what code knows better with [`Setting::set`], then
/// [`check`](TelemetryConfig::check) it. Printing it shows no secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct TelemetryConfig {
    /// Whether a problem stops `init`. If not, each is one warning, and the variable counts as unset.
    pub strict: Setting<bool>,
    /// Whether all telemetry is off. Propagators work all the same, as the specification says.
    pub disabled: Setting<bool>,
    /// The service's name, from `OTEL_SERVICE_NAME` or else from `service.name` among the attributes.
    pub service_name: Setting<Option<String>>,
    /// The other resource attributes, without `service.name`.
    pub resource_attributes: Setting<Vec<(String, String)>>,
    /// How context travels between services.
    pub propagators: Setting<Vec<Propagator>>,
    /// How much the SDK logs about itself. `None`: its own lines as `RUST_LOG` says, and those of the OpenTelemetry
    /// crates if `RUST_LOG` names them.
    pub log_level: Setting<Option<LogLevel>>,
    /// Settings of traces.
    pub traces: TracesConfig,
    /// Settings of metrics.
    pub metrics: MetricsConfig,
    /// Settings of log records.
    pub logs: LogsConfig,
    /// Which events become log lines and log records: directives as those of `RUST_LOG`.
    pub log_filter: Setting<String>,
    /// `OTEL_*` variables that are set and that nobody here knows.
    pub unknown: Vec<String>,
    /// What is wrong in the variables that were read. `init` fails if there is anything, unless
    /// [`strict`](Self::strict) is off.
    pub diagnostics: Vec<Diagnostic>,
    /// The file that the settings come from, if `OTEL_CONFIG_FILE` names one.
    pub file: Option<ConfigFile>,
}

/// A file of OpenTelemetry's declarative configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its path, as given.
    pub path: String,
    /// `OTEL_*` variables that are set and don't count, because the file takes their place.
    pub not_used: Vec<&'static str>,
}

impl TelemetryConfig {
    /// The configuration from the variables of this process.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once; nothing with `RUSTOK_TELEMETRY_STRICT=false`.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_vars(process_variables())
    }

    /// The configuration from the variables of this process, whatever is wrong with them: see
    /// [`from_vars_tolerant`](Self::from_vars_tolerant).
    pub fn from_env_tolerant() -> Self {
        Self::from_vars_tolerant(process_variables())
    }

    /// The configuration from these variables. Those that do not start with `OTEL_` or `RUSTOK_TELEMETRY_` are left
    /// alone, except `RUST_LOG`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once; nothing with `RUSTOK_TELEMETRY_STRICT=false`.
    pub fn from_vars<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Result<Self, ConfigError>
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let config = Self::from_vars_tolerant(variables);
        if config.strict.value {
            ConfigError::check(config.diagnostics.clone())?;
        }
        Ok(config)
    }

    /// The configuration from these variables, whatever is wrong with them. What is wrong is in
    /// [`diagnostics`](Self::diagnostics), and counts as unset.
    ///
    /// ```
    /// use rustok_telemetry::config::TelemetryConfig;
    ///
    /// let config = TelemetryConfig::from_vars_tolerant([("OTEL_METRIC_EXPORT_INTERVAL", "1m")]);
    /// assert_eq!(config.metrics.interval.as_secs(), 60);
    /// assert_eq!(config.problems[0].variable(), "OTEL_METRIC_EXPORT_INTERVAL");
    /// ```
    pub fn from_vars_tolerant<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let variables: BTreeMap<OsString, OsString> = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let mut reader = Reader::collect(&variables);
        #[cfg(feature = "config-file")]
        let file = super::file::apply(&mut reader, &variables);
        #[cfg(not(feature = "config-file"))]
        let file = None;
        let strict = reader.setting(STRICT, true, parse::boolean);
        let disabled = reader.setting("OTEL_SDK_DISABLED", false, parse::boolean);
        let Resource { name, attributes } = read_resource(&mut reader);
        let mut config = Self {
            strict,
            disabled,
            service_name: name,
            resource_attributes: attributes,
            propagators: read_propagators(&mut reader),
            log_level: reader.setting("OTEL_LOG_LEVEL", None, |text| {
                LogLevel::parse(text).map(Some)
            }),
            traces: TracesConfig::read(&mut reader),
            metrics: MetricsConfig::read(&mut reader),
            logs: LogsConfig::read(&mut reader),
            log_filter: reader.setting(
                LOG_FILTER,
                log_filter::DEFAULT.to_owned(),
                parse_directives,
            ),
            unknown: reader.take_unknown(),
            file,
            diagnostics: Vec::new(),
        };
        let signals = [&config.traces.otlp, &config.metrics.otlp, &config.logs.otlp];
        refuse_unused(&mut reader, signals);
        config.diagnostics = reader.into_diagnostics();
        sort(&mut config.diagnostics);
        config.apply_defaults();
        config
    }

    /// Checks values that were set in code: ranges, and what must fit together.
    /// What comes from the environment alone has been checked already.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::check(self.diagnostics_of_code())
    }

    /// Refuses the configuration if anything is wrong with it and it is strict. Otherwise what is wrong is in
    /// [`diagnostics`](Self::diagnostics) afterwards, and counts as unset.
    pub(crate) fn finalize(&mut self) -> Result<(), ConfigError> {
        self.diagnostics.append(&mut self.diagnostics_of_code());
        if self.strict.value {
            ConfigError::check(std::mem::take(&mut self.diagnostics))?;
        }
        sort(&mut self.diagnostics);
        self.apply_defaults();
        Ok(())
    }

    fn diagnostics_of_code(&self) -> Vec<Diagnostic> {
        let mut diagnostics = self.traces.diagnostics();
        diagnostics.extend(self.metrics.diagnostics());
        diagnostics.extend(self.logs.diagnostics());
        let disabled = disabled_propagators(&self.propagators.value);
        diagnostics.extend(disabled.map(|why| {
            let names: Vec<_> = self
                .propagators
                .value
                .iter()
                .map(|each| each.name())
                .collect();
            Diagnostic::of_value(PROPAGATORS, &names.join(","), why).from(self.propagators.source)
        }));
        let wrong = parse_directives(&self.log_filter.value).err();
        diagnostics.extend(wrong.map(|why| {
            Diagnostic::of_value(LOG_FILTER, &self.log_filter.value, why)
                .from(self.log_filter.source)
        }));
        diagnostics
    }

    /// The configured service name, else `unknown_service:` and the program's name.
    pub(crate) fn effective_service_name(&self) -> String {
        self.service_name.value.clone().unwrap_or_else(|| {
            let program = std::env::current_exe().ok();
            let program = program.as_deref().and_then(std::path::Path::file_stem);
            match program {
                Some(name) => format!("unknown_service:{}", name.to_string_lossy()),
                None => "unknown_service".to_owned(),
            }
        })
    }

    /// Leaves nothing that cannot be used.
    fn apply_defaults(&mut self) {
        if disabled_propagators(&self.propagators.value).is_some() {
            self.propagators = default_propagators();
        }
        self.traces.apply_defaults();
        self.metrics.apply_defaults();
        self.logs.apply_defaults();
        if parse_directives(&self.log_filter.value).is_err() {
            self.log_filter = Setting::default_value(log_filter::DEFAULT.to_owned());
        }
    }

    /// Reads `RUST_LOG` of the process, unless the filter has been set or refused already.
    pub(crate) fn read_log_filter(&mut self) {
        let told = self
            .diagnostics
            .iter()
            .any(|diagnostic| diagnostic.variable() == LOG_FILTER);
        if self.log_filter.source == Source::Default && !told {
            let filter = process_variables().filter(|(name, _)| name == LOG_FILTER);
            let mut read = Self::from_vars_tolerant(filter);
            self.log_filter = read.log_filter;
            self.diagnostics.append(&mut read.diagnostics);
        }
    }

    /// Removes the problem of `RUST_LOG` and returns it.
    pub(crate) fn take_log_filter_diagnostic(&mut self) -> Option<Diagnostic> {
        let mut of_filter = self
            .diagnostics
            .extract_if(.., |diagnostic| diagnostic.variable() == LOG_FILTER);
        of_filter.next()
    }

    /// What is in force, one line per setting, with its source. Secrets are masked.
    pub fn report(&self) -> Report {
        Report::new(self)
    }
}
