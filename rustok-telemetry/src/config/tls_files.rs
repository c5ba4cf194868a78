//! PEM files: certificates and private keys.

use std::{fs, io::Read, path::Path, sync::Arc};

use tokio_rustls::rustls::{
    RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

/// Maximum size of a file, in bytes.
const LARGEST: u64 = 4 << 20;

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
    let pem = read(path)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err("there is no certificate in this file (PEM is expected)".to_owned()),
        Err(error) => Err(format!("this file is not PEM: {error}")),
    }
}

/// Returns the private key. The error contains nothing of the file.
pub(crate) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| {
        "there is no private key in this file that can be read (PEM is expected, not encrypted)"
            .to_owned()
    })
}

/// Reads a regular file: directories and devices are errors.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error| format!("cannot be read: {error}");
    let about = fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Err("cannot be read: not a file".to_owned());
    }
    if about.len() > LARGEST {
        return Err(format!("larger than {} MiB", LARGEST >> 20));
    }
    let file = fs::File::open(path).map_err(failed)?;
    let mut content = Vec::new();
    let read = file.take(LARGEST).read_to_end(&mut content);
    read.map(|_| content).map_err(failed)
}
