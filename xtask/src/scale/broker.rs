//! A Kafka broker on this machine, which can be killed and started again.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::Error;
use super::maven::{self, Program};
use super::process::Process;
use crate::progress::Reporter;
use crate::stack::ports;

/// Kafka, with its command line tools.
pub const KAFKA: Program = Program {
    name: "kafka",
    version: "4.4.0",
    artifacts: &[
        ("org.apache.kafka", "kafka_2.13", "4.4.0"),
        ("org.apache.kafka", "kafka-tools", "4.4.0"),
        ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.5"),
    ],
};

/// 16 bytes in Base64.
const CLUSTER: &str = "rustok-telemetry-scale";
/// The last line of a start.
const READY: &str = "Kafka Server started";

/// A broker that is its own controller, which is killed when it is dropped.
#[derive(Debug)]
pub struct Broker {
    jars: PathBuf,
    folder: PathBuf,
    address: String,
    pub(super) process: Process,
}

impl Broker {
    /// Returns a broker without data, which does not run yet. Replaces the files of `folder`.
    pub fn new(folder: &Path, reporter: &mut Reporter) -> Result<Self, Error> {
        let jars = KAFKA.jars(reporter)?;
        super::tiers::clear(folder)?;
        let [address, controller] =
            ports::free_numbers()?.map(|number| format!("{}:{number}", Ipv4Addr::LOCALHOST));
        let data = folder.join("data");
        // Two windows of a quota: by default a client reads the bytes of ten seconds at once, and then waits for nine.
        let properties = format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.bootstrap.servers={controller}\n\
             listeners=PLAINTEXT://{address},CONTROLLER://{controller}\n\
             advertised.listeners=PLAINTEXT://{address},CONTROLLER://{controller}\n\
             controller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             log.dirs={}\n\
             auto.create.topics.enable=false\n\
             quota.window.num=2\n\
             offsets.topic.replication.factor=1\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             share.coordinator.state.topic.replication.factor=1\n\
             share.coordinator.state.topic.min.isr=1\n",
            data.display()
        );
        fs::write(folder.join("server.properties"), properties)?;
        fs::write(folder.join("log4j2.properties"), LOGGING)?;
        let broker = Self {
            jars,
            folder: folder.to_owned(),
            address,
            process: Process::new("Kafka", folder),
        };
        broker.run(
            "kafka.tools.StorageTool",
            &[
                "format",
                "--standalone",
                "--cluster-id",
                CLUSTER,
                "--config",
                "server.properties",
            ],
        )?;
        Ok(broker)
    }

    /// Returns its address for clients.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Starts it with the data of its last start, and waits until it is ready. Returns the time that it took.
    pub fn start(&mut self) -> Result<Duration, Error> {
        let mut java = maven::java(&self.jars);
        java.args(["-Xms256m", "-Xmx512m"])
            .arg("-Dlog4j2.configurationFile=log4j2.properties")
            .args(["kafka.Kafka", "server.properties"])
            .current_dir(&self.folder);
        self.process.start(&mut java, |log| {
            fs::read_to_string(log).is_ok_and(|log| log.contains(READY))
        })
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Creates a topic.
    pub fn create_topic(&self, name: &str, partitions: u32) -> Result<(), Error> {
        self.run(
            "org.apache.kafka.tools.TopicCommand",
            &[
                "--bootstrap-server",
                &self.address,
                "--create",
                "--topic",
                name,
                "--partitions",
                &partitions.to_string(),
            ],
        )?;
        Ok(())
    }

    /// Limits the bytes in a second that the clients with this id read together.
    pub fn limit_reading(&self, client: &str, bytes: u64) -> Result<(), Error> {
        self.run(
            "org.apache.kafka.tools.ConfigCommand",
            &[
                "--bootstrap-server",
                &self.address,
                "--alter",
                "--entity-type",
                "clients",
                "--entity-name",
                client,
                "--add-config",
                &format!("consumer_byte_rate={bytes}"),
            ],
        )?;
        Ok(())
    }

    /// Returns how many messages a group has not read, or read and not committed.
    pub fn lag(&self, group: &str) -> Result<u64, Error> {
        let said = self.run(
            "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
            &[
                "--bootstrap-server",
                &self.address,
                "--describe",
                "--group",
                group,
            ],
        )?;
        // GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG ...
        let mut lag = 0;
        for line in said.lines().filter(|line| line.starts_with(group)) {
            let columns: Vec<_> = line.split_whitespace().collect();
            lag += match columns[..] {
                // Nothing was committed yet.
                [_, _, _, "-", end, ..] => end.parse::<u64>()?,
                [_, _, _, _, _, lag, ..] => lag.parse()?,
                _ => return Err(format!("unexpected line of Kafka's tool: {line}").into()),
            };
        }
        Ok(lag)
    }

    /// Returns the bytes of all messages of a topic, as they are on disk.
    pub fn bytes(&self, topic: &str) -> Result<u64, Error> {
        let mut bytes = 0;
        for partition in fs::read_dir(self.folder.join("data"))? {
            let partition = partition?.path();
            let name = partition.file_name().unwrap_or_default();
            if !name.to_string_lossy().starts_with(&format!("{topic}-")) {
                continue;
            }
            for file in fs::read_dir(partition)? {
                let file = file?;
                if file.path().extension().is_some_and(|it| it == "log") {
                    bytes += file.metadata()?.len();
                }
            }
        }
        Ok(bytes)
    }

    /// Runs one of Kafka's tools to its end, and returns what it printed.
    fn run(&self, tool: &str, arguments: &[&str]) -> Result<String, Error> {
        let output = maven::java(&self.jars)
            .arg("-Dlog4j2.level=error")
            .arg(tool)
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()?;
        let [said, errors] =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        match output.status.success() {
            true => Ok(said),
            false => Err(format!("{tool} {}: {said}{errors}", arguments.join(" ")).into()),
        }
    }
}

/// Log lines on standard output.
const LOGGING: &str = "status=warn
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %m%n
rootLogger.level=info
rootLogger.appenderRef.console.ref=console
";
