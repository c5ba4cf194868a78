//! Content negotiation by the headers `Accept` and `Accept-Encoding` (RFC 9110, 12.5).

/// Whether a response in OpenMetrics 1.0.0 is acceptable and has at least the weight of the Prometheus text 0.0.4.
pub(crate) fn prefers_openmetrics(header: &str) -> bool {
    let (mut open, mut plain, mut texts, mut any) = (None, None, None, None);
    for range in header.split(',') {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        let version = parameter(parameters, "version").unwrap_or_default();
        let (best, versions) = match name.trim().to_ascii_lowercase().as_str() {
            "application/openmetrics-text" => (&mut open, ["", "1.0.0"]),
            "text/plain" => (&mut plain, ["", "0.0.4"]),
            "text/*" => (&mut texts, ["", ""]),
            "*/*" => (&mut any, ["", ""]),
            _ => continue,
        };
        if versions.contains(&version) {
            *best = Some(weight(parameters).max(best.unwrap_or(0.0)));
        }
    }
    let (open, plain) = (open.unwrap_or(0.0), plain.or(texts).or(any));
    open > 0.0 && open >= plain.unwrap_or(0.0)
}

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
    parameter(parameters, "q").map_or(1.0, |weight| weight.parse().unwrap_or(0.0))
}

/// Returns the last parameter of this name.
fn parameter<'header>(parameters: &'header str, name: &str) -> Option<&'header str> {
    let mut named = parameters.split(';').filter_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        let is_named = key.trim().eq_ignore_ascii_case(name);
        is_named.then_some(value.trim().trim_matches('"'))
    });
    named.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_chosen_if_it_is_preferred() {
        // Sent by Prometheus 3.16.
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                          application/openmetrics-text;version=0.0.1;q=0.5,\
                          text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                          text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (header, expected) in [
            (prometheus, true),
            ("application/openmetrics-text", true),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\"", true),
            ("application/openmetrics-text;q=0.5, text/plain;q=0.5", true),
            (
                "application/openmetrics-text;q=0.5, text/plain;q=0.6",
                false,
            ),
            ("application/openmetrics-text;q=0.5, text/*", false),
            ("application/openmetrics-text;q=0.5, */*;q=0.6", false),
            ("application/openmetrics-text;version=0.0.1", false),
            ("application/openmetrics-text;q=0", false),
            ("text/plain;version=0.0.4", false),
            ("text/html, */*;q=0.8", false),
            ("", false),
        ] {
            assert_eq!(prefers_openmetrics(header), expected, "{header}");
        }
    }
}
