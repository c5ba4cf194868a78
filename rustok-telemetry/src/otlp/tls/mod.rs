//! TLS of OTLP connections, by rustls with `ring` (the Cargo feature `tls`).
//!
//! Without configured certificates the roots of the operating system are trusted: that includes a company's own
//! authority, and roots stay current without a new build.

#[cfg(feature = "tls")]
mod client;
#[cfg(not(feature = "tls"))]
mod disabled;

#[cfg(feature = "tls")]
pub(crate) use self::client::Tls;
#[cfg(not(feature = "tls"))]
pub(crate) use self::disabled::Tls;
