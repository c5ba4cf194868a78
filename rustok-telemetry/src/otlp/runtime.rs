//! The tokio runtime of connections.

use tokio::runtime::{Builder, Handle, Runtime};

use crate::InitError;

/// A runtime with one thread, started by the first exporter or server that needs it.
#[derive(Debug, Default)]
pub(crate) struct ConnectionRuntime(Option<Runtime>);

impl ConnectionRuntime {
    /// Returns the runtime. The first call starts it.
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
        // Dropping the runtime waits for it, which panics within another runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
