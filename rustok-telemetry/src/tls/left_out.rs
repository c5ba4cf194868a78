//! What stands in for TLS in a build without it: nothing can be made, so nothing is sent in clear text instead.

use std::{convert::Infallible, io, path::Path};

use tokio::net::TcpStream;

use super::LEFT_OUT;
use crate::{InitError, config::OtlpConfig, otlp::BoxedStream};

/// There is never one.
#[derive(Debug, Clone)]
pub(crate) struct Tls(Infallible);

impl Tls {
    pub(crate) fn new(_: &OtlpConfig, _: &str, _: &'static [u8]) -> Result<Self, InitError> {
        Err(InitError::Pipeline(LEFT_OUT.unwrap_or_default().to_owned()))
    }

    pub(crate) async fn connect(&self, _: TcpStream) -> io::Result<BoxedStream> {
        match self.0 {}
    }
}

pub(crate) fn check_trusted(_: &Path) -> Result<(), String> {
    refuse()
}

pub(crate) fn check_certificate(_: &Path) -> Result<(), String> {
    refuse()
}

pub(crate) fn check_key(_: &Path) -> Result<(), String> {
    refuse()
}

pub(crate) fn check_pair(_: &Path, _: &Path) -> Result<(), String> {
    refuse()
}

fn refuse() -> Result<(), String> {
    Err(LEFT_OUT.unwrap_or_default().to_owned())
}
