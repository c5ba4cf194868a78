//! The whole configuration.

use std::{collections::BTreeMap, ffi::OsString, path::Path};

use super::variables::{LOG_FILTER, STRICT};
use super::{
    AccessConfig, ConfigError, Diagnostic, LogLevel, LogsConfig, MetricsConfig, Mode, Propagator,
    Reader, Report, Rules, Setting, Source, SpoolConfig, TracesConfig, Visitor, access,
    env::process_variables, error::sort, log_filter, log_filter::parse_directives,
    metrics::refuse_prometheus, settings, spool::refuse_limits, tls::refuse_unused,
};

settings! {
    /// The whole configuration: every setting, with its source.
    ///
    /// Read it from the environment, override it from code with [`Setting::set`], then
    /// [`check`](TelemetryConfig::check) it. Printing it shows no secrets.
    pub struct TelemetryConfig() {
        /// Whether a diagnostic makes `init` fail. If not, each is one warning, and the variable is ignored.
        strict: Setting<bool> = setting("strict", [STRICT], true),
        /// Whether all telemetry is off. Propagators still work, as the specification says.
        disabled: Setting<bool> = setting("disabled", ["OTEL_SDK_DISABLED"], false),
        /// The service's name, from `OTEL_SERVICE_NAME` or else from `service.name` among the attributes.
        service_name: Setting<Option<String>> =
            setting("service.name", ["OTEL_SERVICE_NAME"], None, Rules::optional("not set")),
        /// The other resource attributes, without `service.name`.
        resource_attributes: Setting<Vec<(String, String)>> =
            setting("resource.attributes", ["OTEL_RESOURCE_ATTRIBUTES"], Vec::new()),
        /// The propagation formats, each once, in the order given.
        propagators: Setting<Vec<Propagator>> =
            setting("propagators", ["OTEL_PROPAGATORS"], vec![Propagator::TraceContext, Propagator::Baggage]),
        /// Which events become log lines and log records: directives as in `RUST_LOG`.
        log_filter: Setting<String> = setting(
            "log.filter", [LOG_FILTER], log_filter::DEFAULT.to_owned(),
            Rules::of(parse_directives, String::clone).check(|text| parse_directives(text).err())
        ),
        /// The level of the log events of this crate and of the OpenTelemetry crates. `None`: `RUST_LOG` applies, which
        /// must name the OpenTelemetry crates to enable them.
        log_level: Setting<Option<LogLevel>> =
            setting("log_level", ["OTEL_LOG_LEVEL"], None, Rules::optional("as RUST_LOG says")),
        /// Settings of traces.
        traces: TracesConfig = by("traces", TracesConfig::visit),
        /// Settings of metrics.
        metrics: MetricsConfig = by("metrics", MetricsConfig::visit),
        /// Settings of log records.
        logs: LogsConfig = by("logs", LogsConfig::visit),
        /// Who may read the health routes and the port for Prometheus.
        access: AccessConfig = by("access", AccessConfig::visit),
        /// The spool of spans and log records.
        spool: SpoolConfig = by("spool", SpoolConfig::visit),
        /// `OTEL_*` variables that are set and unknown to this library.
        unknown: Vec<String> = kept(),
        /// Errors of the variables that were read. `init` fails if there are any, unless [`strict`](Self::strict) is
        /// off.
        diagnostics: Vec<Diagnostic> = kept(),
        /// The file that the settings come from, if `OTEL_CONFIG_FILE` names one.
        file: Option<ConfigFile> = kept(),
    }
}

/// A file of OpenTelemetry's declarative configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigFile {
    /// The path, as given.
    pub path: String,
    /// `OTEL_*` variables that are set, and replaced by the file.
    pub not_used: Vec<&'static str>,
}

impl TelemetryConfig {
    /// Reads the configuration from the variables of this process.
    ///
    /// # Errors
    ///
    /// All diagnostics at once; none with `RUSTOK_TELEMETRY_STRICT=false`.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_vars(process_variables())
    }

    /// Reads the configuration from the variables of this process, and never fails: see
    /// [`from_vars_tolerant`](Self::from_vars_tolerant).
    pub fn from_env_tolerant() -> Self {
        Self::from_vars_tolerant(process_variables())
    }

    /// Reads the few variables of this process that apply to providers that the service has built. The others are read,
    /// or not, by those who built them.
    pub(crate) fn from_env_for_given_providers() -> Self {
        const READ: [&str; 6] = [
            "OTEL_SDK_DISABLED",
            "OTEL_PROPAGATORS",
            LOG_FILTER,
            STRICT,
            access::TOKEN,
            access::NETWORKS,
        ];
        let read = |name: &OsString| READ.iter().any(|known| name == known);
        Self::from_vars_tolerant(process_variables().filter(|(name, _)| read(name)))
    }

    /// Removes all exporters.
    pub(crate) fn remove_exporters(&mut self) {
        self.traces.exporters.set(Vec::new());
        self.metrics.exporters.set(Vec::new());
        self.logs.exporters.set(Vec::new());
    }

    /// Reads the configuration from these variables. Those that do not start with `OTEL_` or `RUSTOK_TELEMETRY_` are
    /// ignored, except `RUST_LOG`.
    ///
    /// # Errors
    ///
    /// All diagnostics at once; none with `RUSTOK_TELEMETRY_STRICT=false`.
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

    /// Reads the configuration from these variables, and never fails. A variable with a diagnostic is ignored; see
    /// [`diagnostics`](Self::diagnostics).
    ///
    /// ```
    /// use rustok_telemetry::config::TelemetryConfig;
    ///
    /// let config = TelemetryConfig::from_vars_tolerant([("OTEL_METRIC_EXPORT_INTERVAL", "1m")]);
    /// assert_eq!(config.metrics.interval.value.as_secs(), 60);
    /// assert_eq!(config.diagnostics[0].variable(), "OTEL_METRIC_EXPORT_INTERVAL");
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
        let mut config = Self::visit(None, &mut Visitor::new(Mode::Read(&mut reader)));
        config.name_service();
        refuse_prometheus(&mut reader, &config.metrics.exporters.value);
        refuse_limits(&mut reader, &config.spool);
        let signals = [&config.traces.otlp, &config.metrics.otlp, &config.logs.otlp];
        refuse_unused(&mut reader, signals);
        (config.unknown, config.diagnostics) = reader.finish();
        config.access.deny_if_invalid(&config.diagnostics);
        sort(&mut config.diagnostics);
        config.file = file;
        config.apply_defaults();
        config
    }

    /// Checks values that were set in code: ranges, and values that depend on others. Those from the environment have
    /// been checked already.
    ///
    /// # Errors
    ///
    /// All diagnostics at once.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::check(self.diagnostics_of_code())
    }

    /// Returns an error if there is a diagnostic and strict mode is on. Otherwise values with a diagnostic get their
    /// defaults, and [`diagnostics`](Self::diagnostics) has them all.
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
        let mut diagnostics = Vec::new();
        Self::visit(Some(self), &mut Visitor::new(Mode::Check(&mut diagnostics)));
        diagnostics
    }

    fn apply_defaults(&mut self) {
        *self = Self::visit(Some(self), &mut Visitor::new(Mode::ApplyDefaults));
    }

    /// Moves `service.name` from the resource attributes into the service's name, unless that is set.
    fn name_service(&mut self) {
        let Setting { value, source } = &mut self.resource_attributes;
        let name = value.iter().position(|(key, _)| key == "service.name");
        let name = name.map(|index| value.remove(index).1);
        if name.is_some() && self.service_name.source == Source::Default {
            self.service_name.value = name;
            self.service_name.source = *source;
        }
    }

    /// Returns the configured service name, else `unknown_service:` and the program's name.
    pub(crate) fn effective_service_name(&self) -> String {
        self.service_name.value.clone().unwrap_or_else(|| {
            let program = std::env::current_exe().ok();
            match program.as_deref().and_then(Path::file_stem) {
                Some(name) => format!("unknown_service:{}", name.to_string_lossy()),
                None => "unknown_service".to_owned(),
            }
        })
    }

    /// Reads `RUST_LOG` of the process, unless the filter has been set or refused already.
    pub(crate) fn read_log_filter(&mut self) {
        let is_refused = self.diagnostics.iter().any(is_of_log_filter);
        if self.log_filter.source == Source::Default && !is_refused {
            let filter = process_variables().filter(|(name, _)| name == LOG_FILTER);
            let mut read = Self::from_vars_tolerant(filter);
            self.log_filter = read.log_filter;
            self.diagnostics.append(&mut read.diagnostics);
        }
    }

    /// Removes the diagnostic of `RUST_LOG` and returns it.
    pub(crate) fn take_log_filter_diagnostic(&mut self) -> Option<Diagnostic> {
        let index = self.diagnostics.iter().position(is_of_log_filter)?;
        Some(self.diagnostics.remove(index))
    }

    /// Returns the settings in force, one line each, with their sources. Secrets are masked.
    pub fn report(&self) -> Report {
        Report::new(self)
    }
}

fn is_of_log_filter(diagnostic: &Diagnostic) -> bool {
    diagnostic.variable() == LOG_FILTER
}
