//! Start-up, top-down: configuration → resource → providers → propagators → subscriber → guard.

use std::sync::{Mutex, PoisonError};

use tracing::Level;
use tracing_subscriber::layer::SubscriberExt;

use super::pipeline::Pipeline;
use crate::{
    InitError, LogFormat, Telemetry,
    config::TelemetryConfig,
    health,
    lifecycle::{self, Stage},
    logging::{self, LogFilter},
    metrics,
    otlp::ConnectionRuntime,
    propagation,
    trace::{ExporterTargets, SpanFilter, panics},
};

/// Starts telemetry as the environment says, and returns the guard.
///
/// Reads the `OTEL_*` variables, makes the providers, sets the propagators, and installs the `tracing` subscriber and a
/// [panic hook](Builder::without_panic_hook). May be called within a tokio runtime of either flavour or without one.
///
/// # Errors
///
/// See [`InitError`]. Nothing has been installed then, and `init` may be called again. A Collector that cannot be
/// reached is no error: the service runs, and it is logged once.
///
/// ```no_run
/// fn main() -> Result<(), rustok_telemetry::InitError> {
///     let telemetry = rustok_telemetry::init()?;
///     rustok_telemetry::metrics::record_event_published("ProductCreated", "acme");
///     eprintln!("{}", telemetry.shutdown());
///     Ok(())
/// }
/// ```
pub fn init() -> Result<Telemetry, InitError> {
    builder().init()
}

/// Starts telemetry with settings from code besides those of the environment.
///
/// ```no_run
/// # fn main() -> Result<(), rustok_telemetry::InitError> {
/// let telemetry = rustok_telemetry::builder()
///     .default_service_name(env!("CARGO_PKG_NAME"))
///     .service_version(env!("CARGO_PKG_VERSION"))
///     .init()?;
/// # drop(telemetry);
/// # Ok(())
/// # }
/// ```
pub fn builder() -> Builder {
    Builder::default()
}

/// Settings from code. They win over the environment, except the defaults, which yield to it.
#[derive(Debug)]
#[must_use = "call `init` to start telemetry"]
pub struct Builder {
    service_name: Option<String>,
    default_service_name: Option<String>,
    attributes: Vec<(String, String)>,
    config: Option<TelemetryConfig>,
    strict: Option<bool>,
    span_level: Level,
    exporter_targets: Vec<String>,
    log_format: LogFormat,
    enrich_log_records: bool,
    subscriber: bool,
    panic_hook: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            service_name: None,
            default_service_name: None,
            attributes: Vec::new(),
            config: None,
            strict: None,
            span_level: Level::INFO,
            exporter_targets: Vec::new(),
            log_format: LogFormat::default(),
            enrich_log_records: false,
            subscriber: true,
            panic_hook: true,
        }
    }
}

impl Builder {
    /// The service's name, whatever the environment says.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// The service's name, unless the environment gives one.
    pub fn default_service_name(mut self, name: impl Into<String>) -> Self {
        self.default_service_name = Some(name.into());
        self
    }

    /// The service's version (`service.version`).
    pub fn service_version(self, version: impl Into<String>) -> Self {
        self.resource_attribute("service.version", version)
    }

    /// An attribute of the resource, such as `deployment.environment.name`.
    pub fn resource_attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        match key.into() {
            key if key == "service.name" => self.service_name(value),
            key => {
                self.attributes.push((key, value.into()));
                self
            }
        }
    }

    /// A target whose spans are neither counted nor exported, and whose log records are not sent, with those below it:
    /// a crate or module that takes part in sending telemetry. Those of the exporters are left out already, see
    /// [`is_exporter_target`](crate::trace::is_exporter_target).
    pub fn exporter_target(mut self, target: impl Into<String>) -> Self {
        self.exporter_targets.push(target.into());
        self
    }

    /// A configuration to use instead of reading the environment.
    pub fn config(mut self, config: TelemetryConfig) -> Self {
        self.config = Some(config);
        self
    }

    /// Whether a problem in the configuration stops the start, whatever `RUSTOK_TELEMETRY_STRICT` says. If not, each
    /// problem is one warning, and the variable counts as unset.
    ///
    /// ```no_run
    /// use rustok_telemetry::config::TelemetryConfig;
    ///
    /// # fn main() -> Result<(), rustok_telemetry::InitError> {
    /// let wrong = TelemetryConfig::from_vars_tolerant([
    ///     ("OTEL_METRIC_EXPORT_INTERVAL", "1m"),
    ///     # ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_METRICS_EXPORTER", "none"),
    /// ]);
    /// assert!(rustok_telemetry::builder().config(wrong.clone()).init().is_err());
    /// let telemetry = rustok_telemetry::builder().config(wrong).strict(false).init()?;
    /// # drop(telemetry);
    /// # Ok(())
    /// # }
    /// ```
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = Some(strict);
        self
    }

    /// Most verbose level of spans that are counted and exported; `INFO` by default. `RUST_LOG` is for log lines only
    /// and changes nothing here.
    pub fn span_level(mut self, level: Level) -> Self {
        self.span_level = level;
        self
    }

    /// How log lines look; for people, unless said.
    pub fn log_format(mut self, format: LogFormat) -> Self {
        self.log_format = format;
        self
    }

    /// Whether OTLP log records get, besides the fields of their event, the fields of the spans around it and key-values
    /// of the `log` crate; they don't by default. Of fields with the same name the event's own wins, then that of the
    /// innermost span. The spans are those that `RUST_LOG` shows in log lines.
    ///
    /// A service with a [subscriber of its own](Self::without_subscriber) gets the fields of spans; key-values of `log`
    /// need the logger that comes with the subscriber of [`init`](Self::init).
    pub fn enrich_log_records(mut self, enrich: bool) -> Self {
        self.enrich_log_records = enrich;
        self
    }

    /// Installs no `tracing` subscriber: the service puts together its own, with [`Telemetry::layer`] and
    /// [`Telemetry::log_layer`].
    pub fn without_subscriber(mut self) -> Self {
        self.subscriber = false;
        self
    }

    /// Installs no panic hook. Otherwise a hook keeps each panic's message and place, for the log event and the
    /// `exception` event of the span that it unwinds through, and calls the hook that was there before. Without it these
    /// events tell only that there was a panic.
    pub fn without_panic_hook(mut self) -> Self {
        self.panic_hook = false;
        self
    }

    /// Starts telemetry. See [`init`] for what it does, and for the errors.
    ///
    /// # Errors
    ///
    /// See [`InitError`].
    pub fn init(self) -> Result<Telemetry, InitError> {
        static STARTING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if lifecycle::stage() != Stage::NotStarted {
            return Err(InitError::AlreadyInitialized);
        }
        let duplicates = metrics::duplicates();
        if !duplicates.is_empty() {
            return Err(InitError::Catalogue(duplicates));
        }
        let (config, log_filter) = self.effective_config()?;
        if config.disabled.value {
            return self.init_disabled(&config, log_filter);
        }
        let mut runtime = ConnectionRuntime::default();
        let exporter_targets = ExporterTargets::with(self.exporter_targets.clone());
        let span_filter = SpanFilter::new(self.span_level, exporter_targets.clone());
        let mut pipeline = Pipeline::build(&config, &log_filter, &mut runtime, exporter_targets)?;
        let enrich = self.enrich_log_records;
        pipeline.record_sender = pipeline.record_sender.map(|it| it.enriching(enrich));
        if self.subscriber {
            let lines = logging::lines(self.log_format, &log_filter)?;
            let subscriber = tracing_subscriber::registry().with(lines);
            let traces = &pipeline.tracer_provider;
            // A layer with a filter looks up every span that is entered or left, even if it wants none.
            match pipeline.record_sender.as_ref() {
                Some(sender) => {
                    let subscriber = subscriber.with(logging::records(Some(sender))?);
                    logging::install(subscriber.with(span_filter.layer(traces)), enrich)?;
                }
                None => logging::install(subscriber.with(span_filter.layer(traces)), false)?,
            }
        }
        let text_address = pipeline.text_address;
        let running = pipeline.install(&config, runtime, span_filter);
        self.install_panic_hook();
        lifecycle::enter(Stage::Running);
        if let Some(address) = text_address {
            tracing::info!("the metrics are served at http://{address}/metrics");
        }
        started(&config);
        Ok(Telemetry {
            running: Some(running),
            log_filter,
        })
    }

    fn effective_config(&self) -> Result<(TelemetryConfig, LogFilter), InitError> {
        let mut config = match &self.config {
            Some(config) => config.clone(),
            None => TelemetryConfig::from_env_tolerant(),
        };
        if let Some(strict) = self.strict {
            config.strict.set(strict);
        }
        config.read_log_filter();
        // A service with a subscriber of its own may read `RUST_LOG` by other rules; `log_layer` reports the problem.
        let log_problem = match self.subscriber || !config.strict.value {
            true => None,
            false => config.take_log_filter_diagnostic(),
        };
        if let Some(name) = &self.service_name {
            config.service_name.set(Some(name.clone()));
        } else if config.service_name.value.is_none() {
            config.service_name.value = self.default_service_name.clone();
        }
        if !self.attributes.is_empty() {
            let mut attributes = config.resource_attributes.value.clone();
            attributes.retain(|(key, _)| self.attributes.iter().all(|(own, _)| own != key));
            attributes.extend(self.attributes.iter().cloned());
            config.resource_attributes.set(attributes);
        }
        config.finalize()?;
        let log_filter = match log_problem {
            Some(diagnostic) => Err(diagnostic.to_string()),
            None => Ok(config.log_directives()),
        };
        Ok((config, log_filter))
    }

    /// Log lines and propagators only.
    fn init_disabled(
        &self,
        config: &TelemetryConfig,
        log_filter: LogFilter,
    ) -> Result<Telemetry, InitError> {
        if self.subscriber {
            logging::install(
                tracing_subscriber::registry().with(logging::lines(self.log_format, &log_filter)?),
                false,
            )?;
        }
        propagation::install(&config.propagators.value);
        self.install_panic_hook();
        lifecycle::enter(Stage::Disabled);
        started(config);
        Ok(Telemetry {
            running: None,
            log_filter,
        })
    }

    fn install_panic_hook(&self) {
        if self.panic_hook {
            panics::install_hook();
        }
    }
}

/// Says what is wrong and was tolerated, and what is probably not meant, now that there are log lines.
fn started(config: &TelemetryConfig) {
    health::remember(config);
    for diagnostic in &config.diagnostics {
        tracing::warn!("{diagnostic}. Ignored (strict mode is off).");
    }
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
}
