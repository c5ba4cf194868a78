//! TLS without the Cargo feature `tls`: an `https://` endpoint is an error, so nothing is sent in clear text.

use std::{convert::Infallible, io};

use tokio::net::TcpStream;

use crate::{
    InitError,
    config::{OtlpConfig, TLS_DISABLED},
    otlp::BoxedStream,
};

/// Cannot be created.
#[derive(Clone)]
pub(crate) struct Tls(Infallible);

impl Tls {
    pub(crate) fn new(_: &OtlpConfig, _: &str, _: &'static [u8]) -> Result<Self, InitError> {
        Err(InitError::pipeline("TLS", TLS_DISABLED.unwrap_or_default()))
    }

    pub(crate) async fn connect(&self, _: TcpStream) -> io::Result<BoxedStream> {
        match self.0 {}
    }
}
