//! The whole configuration.

use std::ffi::OsString;

use super::choice::Choice;
use super::env::{Reader, process_variables};
use super::error::ConfigError;
use super::log_level::LogLevel;
use super::logs::LogsConfig;
use super::metrics::MetricsConfig;
use super::parse;
use super::report::Report;
use super::resource::{Propagator, Resource, read_propagators, read_resource};
use super::setting::Setting;
use super::traces::TracesConfig;
use super::unused::refuse_unused;

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
    /// How much the SDK logs about itself. `None`: its own lines as `RUST_LOG` says, and those of the OpenTelemetry
    /// crates if `RUST_LOG` names them.
    pub log_level: Setting<Option<LogLevel>>,
    /// Settings of traces.
    pub traces: TracesConfig,
    /// Settings of metrics.
    pub metrics: MetricsConfig,
    /// Settings of log records.
    pub logs: LogsConfig,
    /// `OTEL_*` variables that are set and that nobody here knows.
    pub unknown: Vec<String>,
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
        let mut reader = Reader::collect(variables);
        let disabled = reader.setting("OTEL_SDK_DISABLED", false, parse::boolean);
        let Resource { name, attributes } = read_resource(&mut reader);
        let config = Self {
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
            unknown: reader.take_unknown(),
        };
        let signals = [&config.traces.otlp, &config.metrics.otlp, &config.logs.otlp];
        refuse_unused(&mut reader, signals);
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
