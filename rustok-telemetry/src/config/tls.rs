//! Certificates and keys for OTLP with TLS. Their files are checked when the paths are read.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::rules::{Rules, Value};
#[cfg(feature = "tls")]
use super::tls_files;
use super::{OtlpConfig, Reader, Setting, Signal, Source, Visitor, disabled, settings};

settings! {
    /// Certificates and keys for OTLP with TLS. The files are PEM.
    ///
    /// The exporters load them at start-up; a renewed file needs a restart.
    #[derive(Eq)]
    pub struct TlsConfig(signal: Signal) {
        /// Certificates of the trusted authorities, instead of those of the operating system.
        certificate: Setting<Option<PathBuf>> = setting(
            "certificate", signal.variables("CERTIFICATE"), None, file("of the system", tls_files::trusted)
        ),
        /// The client certificate with its chain, for servers that require one (mTLS).
        client_certificate: Setting<Option<PathBuf>> = setting(
            "client_certificate", signal.variables("CLIENT_CERTIFICATE"), None,
            file("none", tls_files::certificates)
        ),
        /// The private key of the client certificate.
        client_key: Setting<Option<PathBuf>> = setting(
            "client_key", signal.variables("CLIENT_KEY"), None, file("none", tls_files::key)
        ),
    }
}

/// Returns the rules of a file that `read` must accept.
fn file<T: 'static>(
    unset: &'static str,
    read: fn(&Path) -> Result<T, String>,
) -> Rules<'static, Option<PathBuf>> {
    Rules::optional(unset).check(move |path: &Option<PathBuf>| read(path.as_deref()?).err())
}

/// Why TLS cannot be used in this build, if it cannot.
pub(crate) const TLS_DISABLED: Option<&str> = disabled!("TLS", "tls");

/// Without the Cargo feature `tls` no file is accepted.
#[cfg(not(feature = "tls"))]
mod tls_files {
    use super::{Path, TLS_DISABLED};

    pub(super) fn trusted(_: &Path) -> Result<(), String> {
        Err(TLS_DISABLED.unwrap_or_default().to_owned())
    }

    pub(super) use self::{trusted as certificates, trusted as key};

    pub(super) fn check_pair(_: &Path, key: &Path) -> Result<(), String> {
        trusted(key)
    }
}

/// Visits the three paths. Certificate and key must belong together, which is checked once each is valid.
pub(super) fn visit_tls(
    old: Option<&TlsConfig>,
    visitor: &mut Visitor<'_>,
    signal: Signal,
) -> TlsConfig {
    let mut tls = TlsConfig::visit(old, visitor, signal);
    let (certificate, key) = (&mut tls.client_certificate, &mut tls.client_key);
    let refused = visitor.has_refused("client_certificate") || visitor.has_refused("client_key");
    if !refused && !visitor.is_report() {
        let names = ["CLIENT_CERTIFICATE", "CLIENT_KEY"].map(|name| signal.variables(name)[0]);
        let why = match (&certificate.value, &key.value) {
            (Some(_), None) => Some(format!("needs its private key in {}", names[1])),
            (None, Some(_)) => Some(format!("needs its certificate in {}", names[0])),
            (Some(path), Some(key)) => tls_files::check_pair(path, key).err(),
            (None, None) => None,
        };
        if let Some(why) = why {
            let (setting, name) = match key.value {
                Some(_) => (&mut *key, names[1]),
                None => (&mut *certificate, names[0]),
            };
            let shown: String = setting.value.iter().map(PathBuf::show).collect();
            visitor.refuse(setting, name, &shown, None, why);
        }
    }
    if visitor.applies_defaults() && certificate.value.is_some() != key.value.is_some() {
        *certificate = Setting::default_value(None);
        *key = Setting::default_value(None);
    }
    tls
}

/// Refuses a certificate or key for endpoints without TLS, and `…_INSECURE` that contradicts every endpoint.
///
/// A general variable takes effect if it does for one signal.
pub(super) fn refuse_unused(reader: &mut Reader, signals: [&OtlpConfig; 3]) {
    let mut variables: BTreeMap<&'static str, (bool, String)> = BTreeMap::new();
    let mut note = |source, useful: bool, why: String| {
        if let Source::Environment(name) = source {
            variables.entry(name).or_insert((false, why)).0 |= useful;
        }
    };
    for otlp in signals {
        // The scheme of an invalid endpoint is unknown.
        let endpoint = otlp.signal.variables("ENDPOINT");
        let unknown = endpoint.iter().any(|name| reader.has_failed(name));
        let url = otlp.shown_url();
        let tls = &otlp.tls;
        for path in [&tls.certificate, &tls.client_certificate, &tls.client_key] {
            let why = format!("takes no effect, since {url} is without TLS; write https://");
            note(path.source, unknown || otlp.is_secure(), why);
        }
        let contradicts = otlp.endpoint.value.tls() == Some(otlp.insecure.value);
        let why = format!("contradicts {url}, whose scheme says it");
        note(otlp.insecure.source, unknown || !contradicts, why);
    }
    for (name, (useful, why)) in variables {
        if !useful {
            reader.refuse(name, why);
        }
    }
}
