//! What callers send, and whom services trust.

use rustok_telemetry::http::TelemetryLayer;

/// What a caller sends, and the tenant of a service that believes it.
pub(crate) const CLAIMS: [(&str, &[&str], Option<&str>); 9] = [
    ("none", &[], None),
    ("claimed", &["tenant_id=acme"], Some("acme")),
    (
        "claimed-with-equals-signs",
        &["tenant_id=acme=="],
        Some("acme=="),
    ),
    ("malformed", &["tenant_id=ac me"], None),
    (
        "malformed-beside-another",
        &["tenant_id=acme,tenant_id"],
        None,
    ),
    ("undecodable", &["tenant_id=acme%ff"], None),
    ("repeated", &["tenant_id=acme,tenant_id=globex"], None),
    (
        "repeated-header",
        &["tenant_id=acme", "tenant_id=globex"],
        None,
    ),
    (
        "repeated-alike",
        &["tenant_id=acme", "a=1,tenant_id=acme"],
        Some("acme"),
    ),
];

/// The tenant of the caller's token.
pub(crate) const AUTHENTICATED: &str = "from-token";

/// One field of the table: a request, and the tenant that all signals must have.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) layer: TelemetryLayer,
    pub(crate) baggage: &'static [&'static str],
    pub(crate) is_authenticated: bool,
    pub(crate) expected: Option<&'static str>,
}

pub(crate) fn table() -> Vec<Case> {
    let mut cases = Vec::new();
    let layers = [
        ("default", TelemetryLayer::new(), false),
        (
            "trusting",
            TelemetryLayer::new().tenant_from_baggage(),
            true,
        ),
        ("edge", TelemetryLayer::new().public_edge(), false),
        (
            "edge-first",
            TelemetryLayer::new().public_edge().tenant_from_baggage(),
            false,
        ),
        (
            "edge-last",
            TelemetryLayer::new().tenant_from_baggage().public_edge(),
            false,
        ),
    ];
    for (layer_name, layer, trusts) in layers {
        for (claim_name, baggage, believed) in CLAIMS {
            for is_authenticated in [false, true] {
                let claim = believed.filter(|_| trusts);
                let suffix = if is_authenticated {
                    "-authenticated"
                } else {
                    ""
                };
                cases.push(Case {
                    name: format!("{layer_name}-{claim_name}{suffix}"),
                    layer: layer.clone(),
                    baggage,
                    is_authenticated,
                    expected: if is_authenticated {
                        Some(AUTHENTICATED)
                    } else {
                        claim
                    },
                });
            }
        }
    }
    cases
}
