//! Three nodes of Cassandra, on three addresses of this machine.

use std::ffi::OsString;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::cql;
use super::server::Server;
use crate::progress::Reporter;
use crate::scale::maven::Program;
use crate::scale::{Error, eventually};
use crate::stack::ports;

const CASSANDRA: Program = Program {
    name: "cassandra",
    version: "5.0.9",
    artifacts: &[("org.apache.cassandra", "cassandra-all", "5.0.9")],
};
/// The memory of each node for objects.
const HEAP: &str = "512m";

/// What a Java of modules has to open to Cassandra: the list in its `conf/jvm17-server.options`.
const EXPORTS: [&str; 8] = [
    "java.base/jdk.internal.misc",
    "java.base/java.lang.ref",
    "java.management/com.sun.jmx.remote.security",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.rmi/sun.rmi.transport.tcp",
    "java.sql/java.sql",
    "jdk.unsupported/sun.misc",
];
const OPENS: [&str; 16] = [
    "java.base/java.lang.module",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.reflect",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/java.nio",
    "jdk.management/com.sun.management.internal",
];

/// Returns the nodes, started one after the other.
pub(super) fn start(folder: &Path) -> Result<(Vec<Server>, Duration), Error> {
    let jars = CASSANDRA.jars(&mut Reporter::stderr())?;
    let [clients, peers] = ports::free_numbers()?;
    let mut nodes = Vec::new();
    let mut time = Duration::ZERO;
    for number in 1..=3 {
        let folder = folder.join(format!("cassandra-{number}"));
        let address = SocketAddr::from(([127, 0, 0, number], clients));
        write_configuration(&folder, address, peers)?;
        let mut node = Server::new(&jars, &folder, arguments(&folder, &jars)?, address, accepts)?;
        time += node.start()?;
        nodes.push(node);
    }
    Ok((nodes, time))
}

/// Returns the variables of `jaeger/backends/cassandra.yaml`.
pub(super) fn variables(nodes: &[Server]) -> Vec<(&'static str, String)> {
    let servers: Vec<_> = nodes
        .iter()
        .map(|node| format!("\"{}\"", node.address()))
        .collect();
    vec![
        (
            "JAEGER_CASSANDRA_SERVERS",
            format!("[{}]", servers.join(", ")),
        ),
        ("JAEGER_CASSANDRA_DATACENTER", "datacenter1".to_owned()),
        ("JAEGER_CASSANDRA_INSECURE", "true".to_owned()),
    ]
}

/// Returns how many spans one of the nodes that run has. The first one is asked, and can ask another.
pub(super) fn spans(nodes: &[Server]) -> Result<u64, Error> {
    cql::number(
        nodes[0].address(),
        "SELECT COUNT(*) FROM rustok_traces.traces",
    )
}

/// Returns after how many seconds spans are deleted.
pub(super) fn retention(nodes: &[Server]) -> Result<u64, Error> {
    let statement = "SELECT default_time_to_live FROM system_schema.tables \
                     WHERE keyspace_name = 'rustok_traces' AND table_name = 'traces'";
    cql::number(nodes[0].address(), statement)
}

/// Waits until `nodes` have sent everything that another one missed while it was away.
pub(super) fn until_hints_are_sent(nodes: &[Server]) -> Result<(), Error> {
    // What is missed is written to disk, and sent from there, every ten seconds.
    std::thread::sleep(Duration::from_secs(21));
    eventually(Duration::from_secs(120), || {
        for node in nodes {
            let statement = "SELECT COUNT(*) FROM system_views.pending_hints";
            match cql::number(node.address(), statement)? {
                0 => {}
                _ => return Err(format!("{} has hints to send", node.address()).into()),
            }
        }
        Ok(())
    })
}

/// A node accepts clients once it has joined the others.
fn accepts(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}

fn arguments(folder: &Path, jars: &Path) -> Result<Vec<OsString>, Error> {
    let agent = fs::read_dir(jars)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("jamm-") && name.ends_with(".jar")
        })
        .ok_or("no jamm among the jars of Cassandra")?;
    let url = |file| format!("file://{}", folder.join("conf").join(file).display());
    let mut arguments: Vec<OsString> = [
        format!("-Xms{HEAP}"),
        format!("-Xmx{HEAP}"),
        format!("-javaagent:{}", agent.display()),
        format!("-Dcassandra.config={}", url("cassandra.yaml")),
        format!("-Dlogback.configurationFile={}", url("logback.xml")),
        format!("-Dcassandra.storagedir={}", folder.join("data").display()),
        "-Djava.security.manager=allow".to_owned(),
        "-Djdk.attach.allowAttachSelf=true".to_owned(),
        // Shorter waits for other nodes than in a real network: the defaults are 30 s, and 8 s at least.
        "-Dcassandra.ring_delay_ms=10000".to_owned(),
        "-Dcassandra.skip_wait_for_gossip_to_settle=0".to_owned(),
    ]
    .map(OsString::from)
    .to_vec();
    for (option, modules) in [("--add-exports", &EXPORTS[..]), ("--add-opens", &OPENS[..])] {
        let names = modules
            .iter()
            .map(|name| format!("{option}={name}=ALL-UNNAMED"));
        arguments.extend(names.map(OsString::from));
    }
    arguments.push("org.apache.cassandra.service.CassandraDaemon".into());
    Ok(arguments)
}

fn write_configuration(folder: &Path, address: SocketAddr, peers: u16) -> Result<(), Error> {
    let conf = folder.join("conf");
    fs::create_dir_all(&conf)?;
    let (data, ip, clients) = (folder.join("data"), address.ip(), address.port());
    let data = data.display();
    // Its data is synced every ten seconds; a killed process loses nothing, since its writes are in the kernel.
    // A count of all spans takes longer than the default of ten seconds.
    let text = format!(
        "cluster_name: rustok\n\
         num_tokens: 1\n\
         partitioner: org.apache.cassandra.dht.Murmur3Partitioner\n\
         endpoint_snitch: SimpleSnitch\n\
         commitlog_sync: periodic\n\
         commitlog_sync_period: 10s\n\
         data_file_directories: ['{data}/data']\n\
         commitlog_directory: '{data}/commitlog'\n\
         saved_caches_directory: '{data}/saved_caches'\n\
         hints_directory: '{data}/hints'\n\
         cdc_raw_directory: '{data}/cdc'\n\
         seed_provider:\n\
         - class_name: org.apache.cassandra.locator.SimpleSeedProvider\n  \
         parameters: [{{seeds: '127.0.0.1:{peers}'}}]\n\
         listen_address: {ip}\n\
         rpc_address: {ip}\n\
         storage_port: {peers}\n\
         native_transport_port: {clients}\n\
         range_request_timeout: 60s\n\
         authenticator: AllowAllAuthenticator\n\
         authorizer: AllowAllAuthorizer\n"
    );
    fs::write(conf.join("cassandra.yaml"), text)?;
    let log = "<configuration>\n\
               <appender name=\"out\" class=\"ch.qos.logback.core.ConsoleAppender\">\n\
               <encoder><pattern>%d %-5level %logger{0} %msg%n</pattern></encoder>\n\
               </appender>\n\
               <root level=\"INFO\"><appender-ref ref=\"out\"/></root>\n\
               </configuration>\n";
    Ok(fs::write(conf.join("logback.xml"), log)?)
}
