//! The numbers of a stack's ports: from the environment, or free ones.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::port::Port;

/// The range of free ports: it contains no default port of the stack, and is below the ephemeral ports of outgoing
/// connections, which could take a port before its program starts.
const FREE: Range<u16> = 20_000..32_000;

/// The number of every port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports(BTreeMap<Port, u16>);

impl Ports {
    /// Returns the ports that the environment sets, and defaults for the others.
    pub fn from_env() -> Result<Self, InvalidPorts> {
        Self::from_lookup(|variable| std::env::var(variable).ok())
    }

    /// Returns ports without a listener.
    ///
    /// They are not reserved. If another program takes one before the stack starts, the start is repeated with others.
    pub fn free() -> io::Result<Self> {
        let numbers: [u16; Port::ALL.len()] = free_numbers()?;
        Ok(Self(Port::ALL.into_iter().zip(numbers).collect()))
    }

    /// Returns the number of a port.
    pub fn get(&self, port: Port) -> u16 {
        self.0
            .get(&port)
            .copied()
            .unwrap_or_else(|| port.default_number())
    }

    /// Replaces one port.
    #[must_use]
    pub fn with(mut self, port: Port, number: u16) -> Self {
        self.0.insert(port, number);
        self
    }

    /// Returns `127.0.0.1:{number}`.
    pub fn address(&self, port: Port) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.get(port))
    }

    /// Returns `http://127.0.0.1:{number}`.
    pub fn url(&self, port: Port) -> String {
        format!("http://{}", self.address(port))
    }

    /// Checks that the stack can listen on all of `ports`; the error lists every port that is in use.
    pub fn check_free(&self, ports: &[Port]) -> Result<(), PortsInUse> {
        let taken: Vec<_> = ports
            .iter()
            .map(|&port| (port, self.get(port)))
            .filter_map(|(port, number)| {
                let cause = listen(number).err()?;
                Some((port, number, cause))
            })
            .collect();
        if taken.is_empty() {
            Ok(())
        } else {
            Err(PortsInUse(taken))
        }
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidPorts> {
        let mut numbers = BTreeMap::new();
        let mut owners: BTreeMap<u16, Port> = BTreeMap::new();
        let mut problems = Vec::new();
        for port in Port::ALL {
            let variable = port.variable();
            let number = match lookup(variable).filter(|text| !text.is_empty()) {
                None => port.default_number(),
                Some(text) => match text.parse() {
                    Ok(number) if number > 0 => number,
                    _ => {
                        problems.push(format!(
                            "{variable}={text:?} is not a port: set a number from 1 to 65535"
                        ));
                        continue;
                    }
                },
            };
            if let Some(other) = owners.insert(number, port) {
                problems.push(format!(
                    "{} and {variable} are both {number}: set different numbers",
                    other.variable()
                ));
            }
            numbers.insert(port, number);
        }
        if problems.is_empty() {
            Ok(Self(numbers))
        } else {
            Err(InvalidPorts(problems))
        }
    }
}

/// Returns different ports without a listener. They are not reserved.
pub(crate) fn free_numbers<const COUNT: usize>() -> io::Result<[u16; COUNT]> {
    // A random start, so that concurrent stacks do not choose the same ports.
    let random = RandomState::new().build_hasher().finish();
    let offset = u16::try_from(random % u64::from(FREE.end - FREE.start)).unwrap_or_default();
    let candidates = (FREE.start + offset..FREE.end).chain(FREE.start..FREE.start + offset);
    let free = candidates.filter(|&number| listen(number).is_ok());
    let numbers: Vec<_> = free.take(COUNT).collect();
    let too_few = |_| io::ErrorKind::AddrNotAvailable.into();
    numbers.try_into().map_err(too_few)
}

/// Invalid environment variables of ports, one line each.
#[derive(Debug)]
pub struct InvalidPorts(Vec<String>);

impl fmt::Display for InvalidPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the ports of the stack are invalid:")?;
        self.0.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl std::error::Error for InvalidPorts {}

/// All ports that are in use.
#[derive(Debug)]
pub struct PortsInUse(Vec<(Port, u16, io::Error)>);

impl PortsInUse {
    /// Returns the ports with their numbers.
    pub fn ports(&self) -> impl Iterator<Item = (Port, u16)> {
        self.0.iter().map(|(port, number, _)| (*port, *number))
    }
}

impl fmt::Display for PortsInUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stack needs ports that it cannot listen on:")?;
        for (port, number, cause) in &self.0 {
            let cause = match cause.kind() {
                io::ErrorKind::AddrInUse => "in use".to_owned(),
                _ => cause.to_string(),
            };
            let (purpose, variable) = (port.purpose(), port.variable());
            write!(f, "\n  {number} ({purpose}): {cause}; ")?;
            write!(f, "set {variable} to choose another")?;
        }
        write!(
            f,
            "\nStop the programs on these ports (`cargo xtask stack down` stops an earlier stack), \
             set the variables, or choose free ports with --free-ports."
        )
    }
}

impl std::error::Error for PortsInUse {}

fn listen(number: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_and_empty_variables_mean_the_defaults() {
        let ports =
            Ports::from_lookup(|variable| (variable == "PROMETHEUS_PORT").then(String::new))
                .expect("valid");
        assert!(
            Port::ALL
                .iter()
                .all(|&port| ports.get(port) == port.default_number())
        );
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let error = Ports::from_lookup(|variable| match variable {
            "PROMETHEUS_PORT" => Some("ninety".to_owned()),
            "JAEGER_QUERY_PORT" => Some("0".to_owned()),
            "JAEGER_HEALTH_PORT" => Some("4317".to_owned()),
            _ => None,
        })
        .expect_err("three problems")
        .to_string();
        assert!(
            error.contains("PROMETHEUS_PORT=\"ninety\" is not a port"),
            "{error}"
        );
        assert!(
            error.contains("JAEGER_QUERY_PORT=\"0\" is not a port"),
            "{error}"
        );
        assert!(
            error.contains("COLLECTOR_OTLP_GRPC_PORT and JAEGER_HEALTH_PORT are both 4317"),
            "{error}"
        );
    }

    #[test]
    fn free_ports_are_distinct_and_free() {
        let ports = Ports::free().expect("free ports");
        let distinct: std::collections::BTreeSet<_> =
            Port::ALL.iter().map(|&port| ports.get(port)).collect();
        assert_eq!(distinct.len(), Port::ALL.len());
    }
}
