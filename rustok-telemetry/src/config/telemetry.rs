//! The whole configuration.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::env::{Reader, process_variables};
use super::error::ConfigError;
use super::logs::LogsConfig;
use super::metrics::MetricsConfig;
use super::parse;
use super::report::Report;
use super::resource::{Propagator, Resource, read_propagators, read_resource};
use super::setting::Setting;
use super::traces::TracesConfig;

/// The whole configuration: every setting, with its source.
///
/// Read it from the environment, override what code knows better with [`Setting::set`], then
/// [`check`](TelemetryConfig::check) it. Printing it shows no secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct TelemetryConfig {
    /// Whether all telemetry is off. Propagators work all the same, as the specification says.
    pub disabled: Setting<bool>,
    /// The service's name, from `OTEL_SERVICE_NAME` or else from `service.name` among the attributes.
    pub service_name: Setting<Option<String>>,
    /// The other resource attributes, without `service.name`.
    pub resource_attributes: Setting<Vec<(String, String)>>,
    /// How context travels between services.
    pub propagators: Setting<Vec<Propagator>>,
    /// Settings of traces.
    pub traces: TracesConfig,
    /// Settings of metrics.
    pub metrics: MetricsConfig,
    /// Settings of log records.
    pub logs: LogsConfig,
    /// `OTEL_*` variables that are set and that nobody here knows.
    pub unknown: Vec<String>,
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
    /// Everything that is wrong, at once.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_vars(process_variables())
    }

    /// The configuration from these variables. Those that do not start with `OTEL_` are left alone.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once.
    pub fn from_vars<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Result<Self, ConfigError>
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
        let disabled = reader.setting("OTEL_SDK_DISABLED", false, parse::boolean);
        let Resource { name, attributes } = read_resource(&mut reader);
        let config = Self {
            disabled,
            service_name: name,
            resource_attributes: attributes,
            propagators: read_propagators(&mut reader),
            traces: TracesConfig::read(&mut reader),
            metrics: MetricsConfig::read(&mut reader),
            logs: LogsConfig::read(&mut reader),
            unknown: reader.take_unknown(),
            file,
        };
        ConfigError::check(reader.into_problems())?;
        Ok(config)
    }

    /// Checks values that were set in code: ranges, and what must fit together.
    /// What comes from the environment alone has been checked already.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = self.traces.problems();
        problems.extend(self.metrics.problems());
        problems.extend(self.logs.problems());
        ConfigError::check(problems)
    }

    /// What is in force, one line per setting, with its source. Secrets are masked.
    pub fn report(&self) -> Report {
        Report::new(self)
    }
}
