//! Content negotiation for gzip by the `Accept-Encoding` header (RFC 9110, 12.5.3).

/// Whether gzip is acceptable and has at least the weight of `identity`.
pub(crate) fn prefers_gzip(header: &str) -> bool {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    for coding in header.split(',') {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight(parameters);
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(weight),
            "identity" => identity = Some(weight),
            "*" => any = Some(weight),
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or(0.0);
    gzip > 0.0 && gzip >= identity.unwrap_or(0.0)
}

/// Returns the weight; 0, which means "not acceptable", if it is not a number.
fn weight(parameters: &str) -> f32 {
    let mut weights = parameters.split(';').filter_map(|parameter| {
        let (name, weight) = parameter.split_once('=')?;
        let weight = weight.trim().parse().unwrap_or(0.0);
        name.trim().eq_ignore_ascii_case("q").then_some(weight)
    });
    weights.next_back().unwrap_or(1.0)
}
