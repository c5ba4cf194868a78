//! The console that the service serves; nothing without the feature `console`.

use std::sync::Arc;

use opentelemetry_sdk::{Resource, trace::ShouldSample};

#[cfg(feature = "console")]
use crate::console::{Console, State};
use crate::{
    InitError,
    config::TelemetryConfig,
    metrics::on_demand_reader::OnDemandReader,
    otlp::{LogObserver, SpanObserver},
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

    /// Returns the configured sampler, or one that records more for the page.
    pub(crate) fn sampler(&self, configured: Box<dyn ShouldSample>) -> Box<dyn ShouldSample> {
        match &self.state {
            Some(state) => state.sampler(configured),
            None => configured,
        }
    }

    pub(crate) fn span_observer(&self) -> Option<Arc<dyn SpanObserver>> {
        let state = self.state.clone()?;
        Some(state)
    }

    pub(crate) fn log_observer(&self) -> Option<Arc<dyn LogObserver>> {
        let state = self.state.clone()?;
        Some(state)
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

    pub(crate) fn sampler(&self, configured: Box<dyn ShouldSample>) -> Box<dyn ShouldSample> {
        configured
    }

    pub(crate) fn span_observer(&self) -> Option<Arc<dyn SpanObserver>> {
        None
    }

    pub(crate) fn log_observer(&self) -> Option<Arc<dyn LogObserver>> {
        None
    }

    pub(crate) fn install(&self, _: Option<OnDemandReader>) {}

    pub(crate) fn stop(&self) {}
}
