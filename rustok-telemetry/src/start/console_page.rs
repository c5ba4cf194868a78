//! The console that the service serves; nothing without the feature `console`.

#[cfg(feature = "console")]
use std::sync::Arc;

use opentelemetry_sdk::{
    Resource,
    logs::LoggerProviderBuilder,
    trace::{ShouldSample, TracerProviderBuilder},
};

#[cfg(feature = "console")]
use crate::console::{Console, State};
use crate::{
    InitError, config::TelemetryConfig, metrics::on_demand_reader::OnDemandReader,
    trace::SpanLimits,
};

/// Settings of the console, if it is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConsoleSettings {
    #[cfg(feature = "console")]
    pub(crate) console: Option<Console>,
}

/// The console, if it is on.
#[derive(Debug, Clone)]
pub(crate) struct ConsolePage {
    #[cfg(feature = "console")]
    state: Option<Arc<State>>,
}

#[cfg(feature = "console")]
impl ConsoleSettings {
    pub(crate) fn build(
        &self,
        resource: &Resource,
        config: &TelemetryConfig,
    ) -> Result<ConsolePage, InitError> {
        let state = self.console.clone().map(|console| {
            let peers = console.peers();
            let peers = peers.map_err(|error| InitError::pipeline("the console", error))?;
            let (resource, report) = (resource.clone(), config.report());
            Ok::<_, InitError>(Arc::new(State::new(console, peers, resource, report)))
        });
        let state = state.transpose()?;
        Ok(ConsolePage { state })
    }
}

#[cfg(feature = "console")]
impl ConsolePage {
    pub(crate) fn is_on(&self) -> bool {
        self.state.is_some()
    }

    /// Sets the sampler, and adds the span processor.
    pub(crate) fn add_to_tracers(
        &self,
        builder: TracerProviderBuilder,
        limits: SpanLimits,
        sampler: Box<dyn ShouldSample>,
    ) -> TracerProviderBuilder {
        match &self.state {
            Some(state) => state.add_to_tracers(builder, limits, sampler),
            None => builder.with_sampler(sampler),
        }
    }

    /// Adds the log processor.
    pub(crate) fn add_to_loggers(&self, builder: LoggerProviderBuilder) -> LoggerProviderBuilder {
        match &self.state {
            Some(state) => state.add_to_loggers(builder),
            None => builder,
        }
    }

    /// Serves the page; with a reader, samples the metrics.
    pub(crate) fn install(&self, reader: Option<OnDemandReader>) {
        if let Some(state) = &self.state {
            state.install();
            if let Some(reader) = reader {
                state.start(reader);
            }
        }
    }

    pub(crate) fn stop(&self) {
        if let Some(state) = &self.state {
            state.stop();
        }
    }
}

#[cfg(not(feature = "console"))]
impl ConsoleSettings {
    pub(crate) fn build(
        &self,
        _: &Resource,
        _: &TelemetryConfig,
    ) -> Result<ConsolePage, InitError> {
        Ok(ConsolePage {})
    }
}

#[cfg(not(feature = "console"))]
impl ConsolePage {
    pub(crate) fn is_on(&self) -> bool {
        false
    }

    pub(crate) fn add_to_tracers(
        &self,
        builder: TracerProviderBuilder,
        _: SpanLimits,
        sampler: Box<dyn ShouldSample>,
    ) -> TracerProviderBuilder {
        builder.with_sampler(sampler)
    }

    pub(crate) fn add_to_loggers(&self, builder: LoggerProviderBuilder) -> LoggerProviderBuilder {
        builder
    }

    pub(crate) fn install(&self, _: Option<OnDemandReader>) {}

    pub(crate) fn stop(&self) {}
}
