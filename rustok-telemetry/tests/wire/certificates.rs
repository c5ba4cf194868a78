//! Certificates for one test: an authority, a server and a client.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};

/// An authority, and files for those who trust it.
pub(crate) struct Authority {
    folder: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// The folder is the test's own.
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("wire")
            .join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut about = CertificateParams::new(Vec::new()).expect("parameters");
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(about, key).expect("an authority");
        Self { folder, issuer }
    }

    /// The file with its own certificate.
    pub(crate) fn certificate(&self) -> String {
        self.file("authority.pem", &self.issuer.pem())
    }

    /// Files with a certificate and its key for a client.
    pub(crate) fn client(&self, name: &str) -> (String, String) {
        let (certificate, key) = self.issue(name);
        (
            self.file(&format!("{name}.pem"), &certificate.pem()),
            self.file(&format!("{name}.key"), &key.serialize_pem()),
        )
    }

    /// A server for `localhost`, which asks clients for a certificate if `mutual`.
    pub(crate) fn server(&self, mutual: bool) -> Arc<ServerConfig> {
        let (certificate, key) = self.issue("localhost");
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions");
        let builder = match mutual {
            true => {
                let mut trusted = RootCertStore::empty();
                trusted
                    .add(self.issuer.der().clone())
                    .expect("a certificate");
                let provider = Arc::new(ring::default_provider());
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider);
                builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
            false => builder.with_no_client_auth(),
        };
        let certificate = CertificateDer::from(certificate.der().to_vec());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut server = builder
            .with_single_cert(vec![certificate], key)
            .expect("a server");
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(server)
    }

    /// Writes a file into the folder; its path.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("text").to_owned()
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let about = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        let key = KeyPair::generate().expect("a key");
        let certificate = about.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate, key)
    }
}
