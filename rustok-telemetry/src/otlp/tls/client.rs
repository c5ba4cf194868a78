//! The client's side of TLS.

use std::{io, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, pki_types::ServerName},
};

use crate::{
    InitError,
    config::{OtlpConfig, TlsConfig, tls_files},
    otlp::BoxedStream,
};

/// Makes connections to one host secure.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
    server: ServerName<'static>,
}

impl Tls {
    /// `protocol` is what is spoken on the connection, as its name in TLS (ALPN).
    pub(crate) fn new(
        config: &OtlpConfig,
        host: &str,
        protocol: &'static [u8],
    ) -> Result<Self, InitError> {
        let failed =
            |why: String| InitError::pipeline(format!("TLS for {}", config.shown_url()), why);
        // An IPv6 address is in brackets in a URL.
        let name = host.trim_matches(['[', ']']).to_owned();
        let server = ServerName::try_from(name).map_err(|error| failed(error.to_string()))?;
        let mut client = client_config(&config.tls).map_err(failed)?;
        client.alpn_protocols = vec![protocol.to_vec()];
        Ok(Self {
            connector: TlsConnector::from(Arc::new(client)),
            server,
        })
    }

    pub(crate) async fn connect(&self, stream: TcpStream) -> io::Result<BoxedStream> {
        let secure = self.connector.connect(self.server.clone(), stream).await?;
        Ok(Box::pin(secure))
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("server", &self.server).finish()
    }
}

fn client_config(config: &TlsConfig) -> Result<ClientConfig, String> {
    let trusted = match config.certificate.value.as_deref() {
        Some(path) => tls_files::trusted(path)?,
        None => trusted_by_the_system()?,
    };
    let text = |error: tokio_rustls::rustls::Error| error.to_string();
    let builder = ClientConfig::builder_with_provider(tls_files::provider())
        .with_safe_default_protocol_versions()
        .map_err(text)?
        .with_root_certificates(trusted);
    match (
        config.client_certificate.value.as_deref(),
        config.client_key.value.as_deref(),
    ) {
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(tls_files::certificates(certificate)?, tls_files::key(key)?)
            .map_err(text),
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn trusted_by_the_system() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut trusted = RootCertStore::empty();
    // A few that cannot be read, as every system has some, do not matter.
    trusted.add_parsable_certificates(found.certs);
    if trusted.is_empty() {
        return Err(
            "this system has no trusted certificates: install them (often the package \
                    ca-certificates), or name a file in OTEL_EXPORTER_OTLP_CERTIFICATE"
                .to_owned(),
        );
    }
    Ok(trusted)
}
