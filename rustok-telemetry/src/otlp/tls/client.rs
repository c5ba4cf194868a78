//! TLS of the client.

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

/// Encrypts connections to one host.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
    server: ServerName<'static>,
}

impl Tls {
    /// `alpn` is the name of the protocol on the connection.
    pub(crate) fn new(
        config: &OtlpConfig,
        host: &str,
        alpn: &'static [u8],
    ) -> Result<Self, InitError> {
        let failed =
            |why: String| InitError::pipeline(format!("TLS for {}", config.shown_url()), why);
        // An IPv6 address is in brackets in a URL.
        let name = host.trim_matches(['[', ']']).to_owned();
        let server = ServerName::try_from(name).map_err(|error| failed(error.to_string()))?;
        let mut client = client_config(&config.tls).map_err(failed)?;
        client.alpn_protocols = vec![alpn.to_vec()];
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

fn client_config(config: &TlsConfig) -> Result<ClientConfig, String> {
    let roots = match config.certificate.value.as_deref() {
        Some(path) => tls_files::trusted(path)?,
        None => system_roots()?,
    };
    let text = |error: tokio_rustls::rustls::Error| error.to_string();
    let builder = ClientConfig::builder_with_provider(tls_files::provider())
        .with_safe_default_protocol_versions()
        .map_err(text)?
        .with_root_certificates(roots);
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

fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Most systems have a few certificates that do not parse.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(
            "this system has no trusted certificates: install them (often the package \
                    ca-certificates), or name a file in OTEL_EXPORTER_OTLP_CERTIFICATE"
                .to_owned(),
        );
    }
    Ok(roots)
}
