//! Requests to an example. The tests of the examples share this file.

/// Sends a request without body, and returns status and body of the answer.
pub(crate) fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
) -> Result<(u16, String), ureq::Error> {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .new_agent();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = agent.run(request.body(())?)?;
    let body = response.body_mut().read_to_string()?;
    Ok((response.status().as_u16(), body))
}

/// Returns the body of a successful answer.
pub(crate) fn get(url: &str) -> Option<String> {
    let (status, body) = send("GET", url, &[]).ok()?;
    (status == 200).then_some(body)
}
