//! Start-up: configuration → resource → providers → propagators → subscriber → guard.

use std::sync::{Mutex, PoisonError};

use tracing::Level;
use tracing_subscriber::layer::SubscriberExt;

use super::{
    console_page::ConsoleSettings, existing::Existing, extensions::Extensions,
    other_libraries::OtherLibraries, pipeline::Pipeline, resource,
};
use crate::{
    InitError, LogFormat, Telemetry, access,
    config::TelemetryConfig,
    health, http,
    lifecycle::{self, Stage},
    logging::{self, LogFilter},
    metrics::naming::Naming,
    otlp::ConnectionRuntime,
    propagation,
    trace::{ExporterTargets, SpanFilter, panics},
};

/// Starts telemetry with the configuration of the environment, and returns its guard.
///
/// Reads the `OTEL_*` variables, builds the providers, sets the propagators, and installs the `tracing` subscriber and
/// a [panic hook](Builder::without_panic_hook). May be called within a tokio runtime of either flavor, or without one.
///
/// # Errors
///
/// See [`InitError`]. After an error nothing is installed, and `init` may be called again. An unreachable Collector is
/// not an error: the service runs, and the failing export is logged once.
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

/// Starts telemetry like [`init`], with this name of the service unless the environment sets one.
///
/// ```no_run
/// # fn main() -> Result<(), rustok_telemetry::InitError> {
/// let telemetry = rustok_telemetry::init_as("shop")?;
/// # drop(telemetry);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// See [`InitError`].
pub fn init_as(default_service_name: &str) -> Result<Telemetry, InitError> {
    builder().default_service_name(default_service_name).init()
}

/// Returns a builder, for settings from code in addition to those of the environment.
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

/// Settings from code for the start of telemetry. They take precedence over the environment, except `default_*`.
///
/// Created by [`builder`]; [`init`](Self::init) starts telemetry.
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
    naming: Naming,
    console: ConsoleSettings,
    semantic_http: bool,
    pub(super) extensions: Extensions,
    pub(super) other_libraries: OtherLibraries,
    pub(super) existing: Option<Existing>,
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
            naming: Naming::default(),
            console: ConsoleSettings::default(),
            semantic_http: false,
            extensions: Extensions::default(),
            other_libraries: OtherLibraries::default(),
            existing: None,
        }
    }
}

impl Builder {
    /// Sets the service name (`service.name`). Takes precedence over the environment.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// Sets the service name for an environment that does not set one.
    pub fn default_service_name(mut self, name: impl Into<String>) -> Self {
        self.default_service_name = Some(name.into());
        self
    }

    /// Sets the service version (`service.version`).
    pub fn service_version(self, version: impl Into<String>) -> Self {
        self.resource_attribute("service.version", version)
    }

    /// Sets an attribute of the resource, such as `deployment.environment.name`.
    pub fn resource_attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        match key.into() {
            key if key == "service.name" => self.service_name(value),
            key => {
                self.attributes.push((key, value.into()));
                self
            }
        }
    }

    /// Adds an exporter-internal target: a crate or module that takes part in exporting telemetry. Spans with this
    /// target, or one below it, are neither counted nor exported, and log records are not exported. The targets of
    /// [`is_exporter_target`](crate::trace::is_exporter_target) are always included.
    pub fn exporter_target(mut self, target: impl Into<String>) -> Self {
        self.exporter_targets.push(target.into());
        self
    }

    /// Sets the configuration, instead of reading the environment.
    pub fn config(mut self, config: TelemetryConfig) -> Self {
        self.config = Some(config);
        self
    }

    /// Sets whether an invalid setting is an error of [`init`](Self::init). If not, it is ignored with a warning. Takes
    /// precedence over `RUSTOK_TELEMETRY_STRICT`.
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

    /// Sets the most verbose level of spans that are counted and exported; `INFO` by default. `RUST_LOG` has no effect
    /// on spans.
    pub fn span_level(mut self, level: Level) -> Self {
        self.span_level = level;
        self
    }

    /// Sets the format of log lines; [`LogFormat::default`] by default.
    pub fn log_format(mut self, format: LogFormat) -> Self {
        self.log_format = format;
        self
    }

    /// Sets whether OTLP log records include the fields of the spans around the event and key-values of the `log`
    /// crate; `false` by default. Of fields with the same name, that of the event has precedence, then that of the
    /// innermost span. The spans are those that `RUST_LOG` enables for log lines.
    ///
    /// Key-values of `log` need the logger that [`init`](Self::init) installs with its subscriber, so a service that
    /// uses [`without_subscriber`](Self::without_subscriber) gets the fields of spans only.
    pub fn enrich_log_records(mut self, enrich: bool) -> Self {
        self.enrich_log_records = enrich;
        self
    }

    /// Sets the prefix of the built-in metrics, those that this crate declares: `shop` names them
    /// `shop_http_requests_total` instead of `rustok_http_requests_total`, for all exporters, readers and pages. Metrics
    /// of the service keep their names, and so do the `process_*` metrics.
    ///
    /// `cargo xtask names` writes dashboards and rules with the same prefix.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), rustok_telemetry::InitError> {
    /// let telemetry = rustok_telemetry::builder().metric_prefix("shop").init()?;
    /// # drop(telemetry);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`init`](Self::init) fails if the prefix is not lower-case words joined by single `_` that begin with a letter,
    /// if a name would have more than 255 characters, or if a metric of the service has one of the names. An invalid
    /// prefix is ignored with a warning if [strict mode](Self::strict) is off.
    pub fn metric_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.naming.prefix = Some(prefix.into());
        self
    }

    /// Omits the label `tenant_id` of the built-in metrics, for a service without tenants. Records that differ in the
    /// tenant only are one series. Metrics of the service keep their labels; spans and log lines of a service that sets
    /// a tenant keep it.
    pub fn without_tenants(mut self) -> Self {
        self.naming.without_tenants = true;
        self
    }

    /// Installs no `tracing` subscriber. The service composes its own with [`Telemetry::layer`],
    /// [`Telemetry::log_layer`] and [`Telemetry::log_export_layer`].
    pub fn without_subscriber(mut self) -> Self {
        self.subscriber = false;
        self
    }

    /// Installs no panic hook. The hook captures message and location of each panic, for the log event and the
    /// `exception` event of the span, and calls the previous hook. Without it these events have neither message nor
    /// location.
    pub fn without_panic_hook(mut self) -> Self {
        self.panic_hook = false;
        self
    }

    /// Also records the [HTTP metrics of OpenTelemetry's conventions](crate::http#metrics-of-opentelemetrys-conventions),
    /// such as `http.server.request.duration`, beside the `rustok_http_*` ones. Off by default.
    pub fn with_semantic_http_metrics(mut self) -> Self {
        self.semantic_http = true;
        self
    }

    /// Turns on the [console](crate::console), a page at `GET /api/_health/console` with the metrics, traces and log lines
    /// of the last minutes.
    #[cfg(feature = "console")]
    pub fn console(mut self, console: crate::console::Console) -> Self {
        self.console.console = Some(console);
        self
    }

    /// Starts telemetry, like [`init`].
    ///
    /// # Errors
    ///
    /// See [`InitError`].
    pub fn init(mut self) -> Result<Telemetry, InitError> {
        static STARTING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if lifecycle::stage() != Stage::NotStarted {
            return Err(InitError::AlreadyInitialized);
        }
        let duplicates = self.naming.duplicates();
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
        let mut pipeline = match self.existing.take() {
            Some(existing) => {
                Pipeline::of_service(existing, &config, &self.console, &self.extensions)?
            }
            None => Pipeline::build(
                &config,
                &log_filter,
                &mut runtime,
                exporter_targets,
                &self.console,
                &mut self.extensions,
            )?,
        };
        let enrich = self.enrich_log_records;
        pipeline.record_sender = pipeline.record_sender.map(|it| it.enriching(enrich));
        self.other_libraries.prepare()?;
        if self.subscriber {
            let lines = logging::lines(self.log_format, &log_filter)?;
            let subscriber = tracing_subscriber::registry().with(lines);
            let traces = &pipeline.tracer_provider;
            // Without log export no layer is added: even a disabled one would look up every entered span.
            match pipeline.record_sender.as_ref() {
                Some(sender) => {
                    let subscriber = subscriber.with(logging::records(Some(sender))?);
                    logging::install(subscriber.with(span_filter.layer(traces)), enrich)?;
                }
                None => logging::install(subscriber.with(span_filter.layer(traces)), false)?,
            }
        }
        let text_address = pipeline.text_address;
        self.naming.apply();
        access::configure(&config.access);
        let running = pipeline.install(&config, runtime, span_filter);
        if self.semantic_http {
            http::start_semantic_metrics(&running.meter_provider);
        }
        self.install_panic_hook();
        self.other_libraries.start(&running.meter_provider);
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
        let mut config = match (&self.config, &self.existing) {
            (Some(config), _) => config.clone(),
            (None, None) => TelemetryConfig::from_env_tolerant(),
            (None, Some(_)) => TelemetryConfig::from_env_for_given_providers(),
        };
        if self.existing.is_some() {
            config.remove_exporters();
        }
        if let Some(strict) = self.strict {
            config.strict.set(strict);
        }
        config.read_log_filter();
        // A service with its own subscriber may interpret `RUST_LOG` differently, so `log_layer` reports the error.
        let log_problem = match self.subscriber || !config.strict.value {
            true => None,
            false => config.take_log_filter_diagnostic(),
        };
        if let Some(name) = &self.service_name {
            config.service_name.set(Some(name.clone()));
        } else if config.service_name.value.is_none() {
            let detected = self.extensions.detected().service_name();
            config.service_name.value = detected.or_else(|| self.default_service_name.clone());
        }
        if !self.attributes.is_empty() {
            let mut attributes = config.resource_attributes.value.clone();
            attributes.retain(|(key, _)| self.attributes.iter().all(|(set, _)| set != key));
            attributes.extend(self.attributes.iter().cloned());
            config.resource_attributes.set(attributes);
        }
        config.diagnostics.extend(self.naming.diagnostic());
        config.finalize()?;
        let log_filter = match log_problem {
            Some(diagnostic) => Err(diagnostic.to_string()),
            None => Ok(config.log_directives()),
        };
        Ok((config, log_filter))
    }

    /// Installs log lines and propagators only.
    fn init_disabled(
        &self,
        config: &TelemetryConfig,
        log_filter: LogFilter,
    ) -> Result<Telemetry, InitError> {
        let console = self
            .console
            .build(&resource::build(config, self.extensions.detected()), config)?;
        if self.subscriber {
            logging::install(
                tracing_subscriber::registry().with(logging::lines(self.log_format, &log_filter)?),
                false,
            )?;
        }
        if self.existing.is_none() || !propagation::is_installed() {
            propagation::install(&config.propagators.value);
        }
        self.naming.apply();
        access::configure(&config.access);
        console.install(None);
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

/// Logs ignored settings and warnings, now that log lines are installed.
fn started(config: &TelemetryConfig) {
    health::remember(config);
    for diagnostic in &config.diagnostics {
        tracing::warn!("ignored (strict mode is off): {diagnostic}");
    }
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let too_early = lifecycle::lost_records().before_init;
    if too_early > 0 {
        tracing::warn!(
            "metric records dropped, because they were made before telemetry started: {too_early}. Start telemetry first \
             in `main`."
        );
    }
}
