//! Certificates and keys for OTLP with TLS. Their files are checked when the paths are read.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[cfg(feature = "tls")]
use super::tls_files;
use super::{
    choice::disabled,
    env::Reader,
    otlp::{OtlpConfig, Signal},
    rules::Rules,
    setting::{Setting, Source},
    visitor::{Visitor, settings},
};

settings! {
    /// Certificates and keys for OTLP with TLS. The files are PEM.
    ///
    /// The exporters load them at start-up; a renewed file needs a restart.
    #[derive(Eq)]
    pub struct TlsConfig(signal: Signal) {
        /// Certificates of the trusted authorities, instead of those of the operating system.
        certificate: Setting<Option<PathBuf>> = setting(
            "certificate", signal.variables("CERTIFICATE"), None, file("of the system", tls_files::check_trusted)
        ),
        /// The client certificate with its chain, for servers that require one (mTLS).
        client_certificate: Setting<Option<PathBuf>> = setting(
            "client_certificate", signal.variables("CLIENT_CERTIFICATE"), None,
            file("none", tls_files::check_certificate)
        ),
        /// The private key of the client certificate.
        client_key: Setting<Option<PathBuf>> = setting(
            "client_key", signal.variables("CLIENT_KEY"), None, file("none", tls_files::check_key)
        ),
    }
}

fn file(
    unset: &'static str,
    check: fn(&Path) -> Result<(), String>,
) -> Rules<'static, Option<PathBuf>> {
    Rules::optional(unset).check(move |path: &Option<PathBuf>| check(path.as_deref()?).err())
}

/// Why TLS cannot be used in this build, if it cannot.
pub(crate) const TLS_DISABLED: Option<&str> = disabled!("TLS", "tls");

/// Without the Cargo feature `tls` each check fails.
#[cfg(not(feature = "tls"))]
mod tls_files {
    use super::{Path, TLS_DISABLED};

    pub(super) fn check_trusted(_: &Path) -> Result<(), String> {
        Err(TLS_DISABLED.unwrap_or_default().to_owned())
    }

    pub(super) use self::{check_trusted as check_certificate, check_trusted as check_key};

    pub(super) fn check_pair(_: &Path, key: &Path) -> Result<(), String> {
        check_trusted(key)
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
        let [certificate_name, key_name] =
            ["CLIENT_CERTIFICATE", "CLIENT_KEY"].map(|setting| signal.variables(setting)[0]);
        let mut refuse = |setting: &mut Setting<Option<PathBuf>>, name, why| {
            let shown = setting
                .value
                .clone()
                .unwrap_or_default()
                .display()
                .to_string();
            visitor.refuse(setting, name, &shown, None, why);
        };
        match (&certificate.value, &key.value) {
            (Some(_), None) => {
                let why = format!("needs its private key in {key_name}");
                refuse(certificate, certificate_name, why);
            }
            (None, Some(_)) => {
                let why = format!("needs its certificate in {certificate_name}");
                refuse(key, key_name, why);
            }
            (Some(path), Some(key_path)) => {
                if let Err(why) = tls_files::check_pair(path, key_path) {
                    refuse(key, key_name, why);
                }
            }
            (None, None) => {}
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
