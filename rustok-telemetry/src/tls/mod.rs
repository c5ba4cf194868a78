//! TLS for OTLP, by rustls with `ring`, and the files that it needs. The Cargo feature `tls`.
//!
//! Trusted are the certificates that are configured, else those of the operating system, so that a company's own
//! authority works and none is out of date because a service is not built anew.

#[cfg(feature = "tls")]
mod client;
#[cfg(feature = "tls")]
mod files;
#[cfg(not(feature = "tls"))]
mod left_out;

#[cfg(not(feature = "tls"))]
pub(crate) use self::left_out::{Tls, check_certificate, check_key, check_pair, check_trusted};
#[cfg(feature = "tls")]
pub(crate) use self::{
    client::Tls,
    files::{check_certificate, check_key, check_pair, check_trusted},
};

/// Why there is no TLS, if there is none.
pub(crate) const LEFT_OUT: Option<&str> = if cfg!(feature = "tls") {
    None
} else {
    Some("TLS is left out of this build: turn on the Cargo feature `tls` of rustok-telemetry")
};
