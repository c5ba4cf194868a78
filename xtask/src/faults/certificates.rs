//! An authority, and two certificates of a server: one is valid, one has expired.

use std::fmt;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::Error;

/// The certificates of a server at `localhost`.
pub struct Certificates {
    /// The certificate of the authority, in PEM.
    pub authority: String,
    valid: Arc<ServerConfig>,
    expired: Arc<ServerConfig>,
}

impl Certificates {
    /// Creates an authority, and lets it issue both certificates.
    pub fn new() -> Result<Self, Error> {
        let mut about = CertificateParams::new(Vec::new())?;
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(about, KeyPair::generate()?)?;
        let [valid, expired] = [false, true].map(|expired| server(&issuer, expired));
        Ok(Self {
            authority: issuer.pem(),
            valid: valid?,
            expired: expired?,
        })
    }

    /// Returns the configuration of a server.
    pub(super) fn server(&self, expired: bool) -> Arc<ServerConfig> {
        Arc::clone(if expired { &self.expired } else { &self.valid })
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

fn server(
    issuer: &CertifiedIssuer<'_, KeyPair>,
    expired: bool,
) -> Result<Arc<ServerConfig>, Error> {
    let mut about = CertificateParams::new(vec!["localhost".to_owned()])?;
    if expired {
        about.not_before = date_time_ymd(2020, 1, 1);
        about.not_after = date_time_ymd(2021, 1, 1);
    }
    let key = KeyPair::generate()?;
    let certificate = CertificateDer::from(about.signed_by(&key, issuer)?.der().to_vec());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(server))
}
