//! Certificates and keys for OTLP with TLS: paths, whose files are looked into at once.

use std::path::{Path, PathBuf};

use super::env::Reader;
use super::setting::Setting;
use super::setting_diagnostic::SettingDiagnostic;
use super::tls_files;

/// Whom to trust, and who we are, where OTLP is sent with TLS. The files are PEM.
///
/// They are read at start-up. A file that is renewed later is not read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// Certificates of the authorities to trust, in place of those of the operating system.
    pub certificate: Setting<Option<PathBuf>>,
    /// Our certificate, with those that lead to its authority, for servers that ask for one (mTLS).
    pub client_certificate: Setting<Option<PathBuf>>,
    /// The private key of our certificate.
    pub client_key: Setting<Option<PathBuf>>,
}

/// Nothing is set.
impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            certificate: Setting::default_value(None),
            client_certificate: Setting::default_value(None),
            client_key: Setting::default_value(None),
        }
    }
}

/// Why TLS cannot be used in this build, if it cannot.
pub(crate) const TLS_DISABLED: Option<&str> = if cfg!(feature = "tls") {
    None
} else {
    Some("TLS is disabled in this build: turn on the Cargo feature `tls` of rustok-telemetry")
};

/// The names of the three variables, for one signal or for all.
pub(super) struct TlsVariables {
    pub(super) certificate: &'static str,
    pub(super) client_certificate: &'static str,
    pub(super) client_key: &'static str,
}

impl TlsConfig {
    pub(super) fn read(reader: &mut Reader, own: &TlsVariables, general: &TlsVariables) -> Self {
        let path = |_: &str, text: &str| Ok(Some(PathBuf::from(text)));
        let mut read = |own, general| reader.first_of([own, general], None, path);
        Self {
            certificate: read(own.certificate, general.certificate),
            client_certificate: read(own.client_certificate, general.client_certificate),
            client_key: read(own.client_key, general.client_key),
        }
    }

    /// The paths that are set.
    pub(super) fn paths(&self) -> [&Setting<Option<PathBuf>>; 3] {
        [
            &self.certificate,
            &self.client_certificate,
            &self.client_key,
        ]
    }

    /// Looks into the files.
    pub(super) fn setting_diagnostics(&self, names: &TlsVariables) -> Vec<SettingDiagnostic> {
        let look = |setting: &Setting<Option<PathBuf>>, check: fn(&Path) -> Result<(), String>| {
            setting.value.as_deref().map(check)?.err()
        };
        let trusted = look(&self.certificate, tls_files::check_trusted);
        let certificate = look(&self.client_certificate, tls_files::check_certificate);
        let key = look(&self.client_key, tls_files::check_key);
        // Whether they belong together is asked when each is right.
        let (certificate, key) = match (certificate, key) {
            (None, None) => self.pair_diagnostic(names),
            wrong => wrong,
        };
        [
            diagnostic(names.certificate, &self.certificate, trusted),
            diagnostic(
                names.client_certificate,
                &self.client_certificate,
                certificate,
            ),
            diagnostic(names.client_key, &self.client_key, key),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// What is wrong with the certificate, or with the key, beside the other.
    fn pair_diagnostic(&self, names: &TlsVariables) -> (Option<String>, Option<String>) {
        let needs = |what: &str, variable: &str| Some(format!("needs {what} in {variable}"));
        match (
            self.client_certificate.value.as_deref(),
            self.client_key.value.as_deref(),
        ) {
            (None, None) => (None, None),
            (Some(_), None) => (needs("its private key", names.client_key), None),
            (None, Some(_)) => (None, needs("its certificate", names.client_certificate)),
            (Some(certificate), Some(key)) => (None, tls_files::check_pair(certificate, key).err()),
        }
    }
}

fn diagnostic(
    name: &'static str,
    setting: &Setting<Option<PathBuf>>,
    why: Option<String>,
) -> Option<SettingDiagnostic> {
    let path = setting.value.as_deref().unwrap_or(Path::new(""));
    let shown = Setting {
        value: path.display(),
        source: setting.source,
    };
    SettingDiagnostic::of(name, &shown, why)
}
