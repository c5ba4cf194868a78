//! Certificates for one test.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// An authority, and the file with its certificate.
pub(crate) struct Authority {
    folder: PathBuf,
    pub(crate) certificate: String,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// Its files are in a folder of the test.
    pub(crate) fn new(test: &str, name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("overlays")
            .join(test)
            .join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut about = CertificateParams::new(Vec::new()).expect("parameters");
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        about
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(about, key).expect("an authority");
        let certificate = write(&folder, "authority.pem", &issuer.pem());
        Self {
            folder,
            certificate,
            issuer,
        }
    }

    /// The files of a certificate for `name` and of its key.
    pub(crate) fn issue(&self, name: &str) -> (String, String) {
        let about = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        let key = KeyPair::generate().expect("a key");
        let certificate = about.signed_by(&key, &self.issuer).expect("a certificate");
        let certificate = write(&self.folder, &format!("{name}.pem"), &certificate.pem());
        let key = write(&self.folder, &format!("{name}.key"), &key.serialize_pem());
        (certificate, key)
    }
}

fn write(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("a file");
    path.to_str().expect("text").to_owned()
}
