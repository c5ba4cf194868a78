//! Thanos: two receivers in a hashring, and a querier.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Error, Store};
use crate::scale::node::Node;
use crate::stack::ports::free_numbers;

/// The programs of Thanos.
#[derive(Debug)]
pub struct Thanos {
    /// Each has about half of the series.
    pub receivers: [Node; 2],
    /// The process of the querier.
    pub querier: Node,
    /// The querier.
    pub store: Store,
    /// The address for remote write: one of the receivers, which forwards to the other.
    pub write_url: String,
}

impl Thanos {
    /// Starts them in a folder.
    pub fn start(program: &Path, folder: &Path) -> Result<Self, Error> {
        let numbers = free_numbers::<10>()?;
        let [first @ .., _, _, _, _, query, query_grpc] = numbers.map(address);
        let second = [4, 5, 6, 7].map(|at| address(numbers[at]));
        let endpoints = [&first[1], &second[1]].map(|endpoint| format!("\"{endpoint}\""));
        let hashrings = format!("[{{\"endpoints\": [{}]}}]", endpoints.join(", "));
        let receiver = |number: usize, addresses: &[String; 4]| -> Result<Node, Error> {
            let [http, grpc, write, capnproto] = addresses;
            let folder = folder.join(format!("receiver-{number}"));
            let arguments = [
                "receive".to_owned(),
                format!("--tsdb.path={}", folder.join("data").display()),
                format!("--http-address={http}"),
                format!("--grpc-address={grpc}"),
                format!("--remote-write.address={write}"),
                format!("--receive.capnproto-address={capnproto}"),
                format!("--receive.local-endpoint={grpc}"),
                format!("--receive.hashrings={hashrings}"),
                "--receive.hashrings-algorithm=ketama".to_owned(),
                // The default is a label of the services' metrics, and would replace its values.
                format!("--receive.tenant-label-name={TENANT}"),
                format!("--label={RECEIVER}=\"{number}\""),
            ];
            let ready = format!("http://{http}/-/ready");
            let mut node = Node::of_program("thanos receive", program, arguments, &ready, &folder)?;
            node.start()?;
            Ok(node)
        };
        let receivers = [receiver(0, &first)?, receiver(1, &second)?];
        let url = format!("http://{query}");
        let mut arguments = vec![
            "query".to_owned(),
            format!("--http-address={query}"),
            format!("--grpc-address={query_grpc}"),
            format!("--endpoint={}", first[1]),
            format!("--endpoint={}", second[1]),
        ];
        // What the receivers add, and what a pair of Collectors adds.
        let replicas = [TENANT, RECEIVER, "replica"];
        arguments.extend(replicas.map(|label| format!("--query.replica-label={label}")));
        let ready = format!("{url}/-/ready");
        let folder = folder.join("querier");
        let mut querier = Node::of_program("thanos query", program, arguments, &ready, &folder)?;
        querier.start()?;
        Ok(Self {
            receivers,
            querier,
            store: Store {
                name: "Thanos",
                url,
            },
            write_url: format!("http://{}/api/v1/receive", first[2]),
        })
    }

    /// Starts a ruler, which writes what it records to the receivers.
    pub fn start_ruler(
        &self,
        program: &Path,
        rules: &[PathBuf],
        evaluation: Duration,
        folder: &Path,
    ) -> Result<(Node, Store), Error> {
        let [http, grpc] = free_numbers::<2>()?.map(address);
        let mut arguments = vec![
            "rule".to_owned(),
            format!("--data-dir={}", folder.join("data").display()),
            format!("--http-address={http}"),
            format!("--grpc-address={grpc}"),
            format!("--query={}", self.store.url),
            format!(
                "--remote-write.config=remote_write: [{{url: '{}'}}]",
                self.write_url
            ),
            format!("--eval-interval={}s", evaluation.as_secs()),
        ];
        arguments.extend(
            rules
                .iter()
                .map(|file| format!("--rule-file={}", file.display())),
        );
        let url = format!("http://{http}");
        let ready = format!("{url}/-/ready");
        let mut node = Node::of_program("thanos rule", program, arguments, &ready, folder)?;
        node.start()?;
        let name = "Thanos' ruler";
        Ok((node, Store { name, url }))
    }
}

/// The labels that a receiver adds: the tenant of a request, and its own number. They replace labels of metrics of the
/// same name, and the Collector's metrics have a label `receiver`.
const TENANT: &str = "thanos_tenant";
const RECEIVER: &str = "thanos_receiver";

fn address(number: u16) -> String {
    format!("127.0.0.1:{number}")
}
