//! TLS for OTLP connections, by rustls with `ring` (the Cargo feature `tls`).
//!
//! Without configured certificates the operating system's are trusted, so a company's own authority works, and
//! trusted certificates stay current without a new build.

#[cfg(feature = "tls")]
mod client;
#[cfg(not(feature = "tls"))]
mod disabled;

#[cfg(feature = "tls")]
pub(crate) use self::client::Tls;
#[cfg(not(feature = "tls"))]
pub(crate) use self::disabled::Tls;
