//! Variables about TLS that would take no effect for any signal, which is never what was meant.

use std::collections::BTreeMap;

use super::env::Reader;
use super::otlp::{GENERAL, OtlpConfig};
use super::setting::Source;

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
        let own = otlp.signal.variables();
        // Of an endpoint that is wrong nobody knows.
        let unknown = reader.has_failed(own.endpoint) || reader.has_failed(GENERAL.endpoint);
        let url = otlp.shown_url();
        for setting in otlp.tls.paths() {
            let why = format!("takes no effect, since {url} is without TLS; write https://");
            note(setting.source, unknown || otlp.is_secure(), why);
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
