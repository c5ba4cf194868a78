//! One node of OpenSearch.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::server::Server;
use crate::progress::Reporter;
use crate::scale::Error;
use crate::scale::maven::Program;
use crate::stack::{ports, query};
use crate::workspace;

/// A node in a Java program, without modules or plugins.
const OPENSEARCH: Program = Program {
    name: "opensearch",
    version: "2.19.6",
    artifacts: &[
        ("org.opensearch", "opensearch", "2.19.6"),
        ("org.opensearch.plugin", "transport-netty4-client", "2.19.6"),
        ("org.apache.logging.log4j", "log4j-core", "2.25.4"),
    ],
};
/// Its memory for objects.
const HEAP: &str = "512m";

/// Returns the started node.
pub(super) fn start(folder: &Path) -> Result<(Vec<Server>, Duration), Error> {
    let jars = OPENSEARCH.jars(&mut Reporter::stderr())?;
    let [clients, peers] = ports::free_numbers()?;
    let folder = folder.join("opensearch");
    let source = workspace::root().join("xtask/opensearch/OpenSearchNode.java");
    let arguments = [
        format!("-Xms{HEAP}"),
        format!("-Xmx{HEAP}"),
        "-Dlog4j2.level=info".to_owned(),
        source.display().to_string(),
        folder.display().to_string(),
        clients.to_string(),
        peers.to_string(),
    ];
    let arguments = arguments.iter().map(Into::into).collect();
    std::fs::create_dir_all(folder.join("config"))?;
    let address = SocketAddr::from(([127, 0, 0, 1], clients));
    let mut node = Server::new(&jars, &folder, arguments, address, is_ready)?;
    let time = node.start()?;
    Ok((vec![node], time))
}

/// Returns the variables of `jaeger/backends/opensearch.yaml`.
pub(super) fn variables(nodes: &[Server]) -> Vec<(&'static str, String)> {
    let urls: Vec<_> = nodes
        .iter()
        .map(|node| format!("\"{}\"", url(node)))
        .collect();
    vec![
        ("JAEGER_OPENSEARCH_URLS", format!("[{}]", urls.join(", "))),
        ("JAEGER_OPENSEARCH_SHARDS", "1".to_owned()),
        ("JAEGER_OPENSEARCH_REPLICAS", "0".to_owned()),
    ]
}

/// Returns how many documents of spans there are. A span that was written twice is two.
pub(super) fn spans(nodes: &[Server]) -> Result<u64, Error> {
    let indices = format!("{}/rustok-jaeger-span-*", url(&nodes[0]));
    // New documents are found after a refresh, which is otherwise every second.
    get(&format!("{indices}/_refresh"))?;
    let answer = get(&format!("{indices}/_count"))?;
    let count = answer["count"].as_u64();
    count.ok_or_else(|| format!("{indices}: {answer}").into())
}

fn url(node: &Server) -> String {
    format!("http://{}", node.address())
}

/// All indices can be read.
fn is_ready(address: SocketAddr) -> bool {
    query::is_ready(&format!(
        "http://{address}/_cluster/health?wait_for_status=yellow&timeout=1s"
    ))
}

fn get(url: &str) -> Result<Value, Error> {
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .proxy(None)
        .build()
        .new_agent();
    Ok(agent.get(url).call()?.body_mut().read_json()?)
}
