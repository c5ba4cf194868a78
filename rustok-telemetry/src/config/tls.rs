//! Certificates and keys for OTLP with TLS: paths, whose files are checked at once.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[cfg(feature = "tls")]
use super::tls_files;
use super::{
    env::Reader,
    otlp::{OtlpConfig, Signal},
    rules::{Rules, Value},
    setting::{Setting, Source},
    visitor::Visitor,
};

/// Certificates and keys for OTLP with TLS. The files are PEM.
///
/// They are read at start-up. A file that is renewed later is not read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// Certificates of the trusted authorities, in place of those of the operating system.
    pub certificate: Setting<Option<PathBuf>>,
    /// The client certificate with its chain, for servers that ask for one (mTLS).
    pub client_certificate: Setting<Option<PathBuf>>,
    /// The private key of the client certificate.
    pub client_key: Setting<Option<PathBuf>>,
}

/// Why TLS cannot be used in this build, if it cannot.
pub(crate) const TLS_DISABLED: Option<&str> = if cfg!(feature = "tls") {
    None
} else {
    Some("TLS is disabled in this build: turn on the Cargo feature `tls` of rustok-telemetry")
};

/// Without the Cargo feature `tls` each check refuses.
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

impl TlsConfig {
    /// Visits the three paths; without `old` ones they are read.
    pub(super) fn visit(old: Option<&Self>, visitor: &mut Visitor<'_>, signal: Signal) -> Self {
        let certificate = visit_path(
            (
                old.map(|old| &old.certificate),
                "certificate",
                "of the system",
            ),
            visitor,
            signal.variables("CERTIFICATE"),
            tls_files::check_trusted,
        );
        let refused = visitor.refused;
        let certificate_names = signal.variables("CLIENT_CERTIFICATE");
        let mut client_certificate = visit_path(
            (
                old.map(|old| &old.client_certificate),
                "client_certificate",
                "none",
            ),
            visitor,
            certificate_names,
            tls_files::check_certificate,
        );
        let key_names = signal.variables("CLIENT_KEY");
        let mut client_key = visit_path(
            (old.map(|old| &old.client_key), "client_key", "none"),
            visitor,
            key_names,
            tls_files::check_key,
        );
        // Whether they belong together is checked once each is right.
        if visitor.refused == refused && !visitor.is_report() {
            let needs = |what: &str, names: [&str; 2]| format!("needs {what} in {}", names[0]);
            match (client_certificate.value.clone(), client_key.value.clone()) {
                (Some(path), None) => {
                    let why = needs("its private key", key_names);
                    let shown = path.show();
                    visitor.refuse(
                        &mut client_certificate,
                        certificate_names[0],
                        &shown,
                        None,
                        why,
                    );
                }
                (None, Some(path)) => {
                    let why = needs("its certificate", certificate_names);
                    visitor.refuse(&mut client_key, key_names[0], &path.show(), None, why);
                }
                (Some(certificate), Some(key)) => {
                    if let Err(why) = tls_files::check_pair(&certificate, &key) {
                        visitor.refuse(&mut client_key, key_names[0], &key.show(), None, why);
                    }
                }
                (None, None) => {}
            }
        }
        // One is of no use without the other.
        if visitor.applies_defaults()
            && client_certificate.value.is_some() != client_key.value.is_some()
        {
            client_certificate = Setting::default_value(None);
            client_key = Setting::default_value(None);
        }
        Self {
            certificate,
            client_certificate,
            client_key,
        }
    }
}

fn visit_path(
    (old, key, unset): (Option<&Setting<Option<PathBuf>>>, &str, &str),
    visitor: &mut Visitor<'_>,
    names: [&'static str; 2],
    check: fn(&Path) -> Result<(), String>,
) -> Setting<Option<PathBuf>> {
    let rules =
        Rules::optional(unset).check(|path: &Option<PathBuf>| check(path.as_deref()?).err());
    visitor.setting(old, key, &names, None, &rules)
}

/// Refuses a certificate or key where nothing is sent with TLS, and `…_INSECURE` where every endpoint says otherwise.
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
        // The scheme of a wrong endpoint is unknown.
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
