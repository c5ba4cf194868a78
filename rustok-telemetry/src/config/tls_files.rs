//! PEM files: certificates and private keys.

use std::{path::Path, sync::Arc};

use tokio_rustls::rustls::{
    RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

use super::regular_file;

/// Returns an error unless the private key belongs to the certificate.
pub(crate) fn check_pair(certificate: &Path, key_path: &Path) -> Result<(), String> {
    let pair = CertifiedKey::from_der(certificates(certificate)?, key(key_path)?, &provider());
    let wrong = |error| format!("is not the key of {}: {error}", certificate.display());
    pair.map(drop).map_err(wrong)
}

/// Returns the provider that the application installed (FIPS, for example), else `ring`.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    let installed = CryptoProvider::get_default().map(Arc::clone);
    installed.unwrap_or_else(|| Arc::new(ring::default_provider()))
}

/// Returns the trusted certificates.
pub(crate) fn trusted(path: &Path) -> Result<RootCertStore, String> {
    let mut trusted = RootCertStore::empty();
    for certificate in certificates(path)? {
        trusted
            .add(certificate)
            .map_err(|error| format!("holds a certificate that cannot be trusted: {error}"))?;
    }
    Ok(trusted)
}

/// Returns the certificates, of which there is at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = regular_file::read(path)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err("there is no certificate in this file (PEM is expected)".to_owned()),
        Err(error) => Err(format!("this file is not PEM: {error}")),
    }
}

/// Returns the private key. The error contains nothing of the file.
pub(crate) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&regular_file::read(path)?).map_err(|_| {
        "there is no private key in this file that can be read (PEM is expected, not encrypted)"
            .to_owned()
    })
}
