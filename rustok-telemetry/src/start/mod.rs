//! Start, flush and shutdown: configuration → providers → subscriber → guard.

mod console_page;
pub(crate) mod existing;
mod extensions;
pub(crate) mod flush;
pub(crate) mod init;
mod layers;
mod other_libraries;
mod pipeline;
pub(crate) mod report;
pub(crate) mod resource;
pub(crate) mod shutdown;
