//! The runtime that connections live on.

use tokio::runtime::{Builder, Handle, Runtime};

use crate::InitError;

/// A small runtime of our own, started when something connects or listens.
#[derive(Debug, Default)]
pub(crate) struct ConnectionRuntime(Option<Runtime>);

impl ConnectionRuntime {
    /// The runtime, which is started at the first call.
    pub(crate) fn handle(&mut self) -> Result<Handle, InitError> {
        let runtime = match &mut self.0 {
            Some(runtime) => runtime,
            none => none.insert(
                Builder::new_multi_thread()
                    .worker_threads(1)
                    .thread_name("rustok-telemetry")
                    .enable_all()
                    .build()
                    .map_err(|error| InitError::pipeline("the thread for connections", error))?,
            ),
        };
        Ok(runtime.handle().clone())
    }
}

impl Drop for ConnectionRuntime {
    fn drop(&mut self) {
        // Waiting for the runtime would panic where the guard is dropped within another one.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
