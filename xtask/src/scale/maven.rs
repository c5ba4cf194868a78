//! Programs of the Java world: their jars, fetched once by Maven into the user's cache folder.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Error;
use crate::children;
use crate::progress::Reporter;
use crate::workspace;

/// The Debian packages with `mvn` and `java`.
const PACKAGES: &str = "maven openjdk-17-jdk-headless";
/// Copies the jars of a project and of everything that it depends on.
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// A program in its pinned version.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The artifacts that it is run from: group, name and version.
    pub artifacts: &'static [(&'static str, &'static str, &'static str)],
}

impl Program {
    /// Returns the folder with its jars. The first call fetches them.
    ///
    /// # Errors
    ///
    /// If Maven is missing, or fails.
    pub fn jars(&self, reporter: &mut Reporter) -> Result<PathBuf, Error> {
        let java = Command::new("java").arg("-version").output();
        java.map_err(|error| missing("java", &error))?;
        let cache = workspace::cache_folder().ok_or("neither HOME nor XDG_CACHE_HOME is set")?;
        let folder = format!("{}-{}", self.name, self.version);
        let jars = cache.join("java").join(&folder);
        if !jars.is_dir() {
            let unfinished = format!("{folder}.unfinished-{}", std::process::id());
            let unfinished = cache.join("java").join(unfinished);
            self.fetch(&unfinished, reporter)?;
            match fs::rename(unfinished.join("jars"), &jars) {
                // Another process was faster.
                Err(_) if jars.is_dir() => {}
                renamed => renamed?,
            }
            fs::remove_dir_all(&unfinished)?;
        }
        Ok(jars)
    }

    fn fetch(&self, folder: &Path, reporter: &mut Reporter) -> Result<(), Error> {
        let Self { name, version, .. } = self;
        fs::create_dir_all(folder)?;
        fs::write(folder.join("pom.xml"), self.project())?;
        let log = folder.join("log.txt");
        let output = File::create(&log)?;
        reporter.note(&format!("fetching {name} {version} with Maven"));
        let started = Instant::now();
        let mut maven = Command::new("mvn");
        maven
            .args(["--batch-mode", "--no-transfer-progress", COPY])
            .args(["-DincludeScope=runtime", "-DoutputDirectory=jars"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let mut maven = children::spawn(&mut maven).map_err(|error| missing("mvn", &error))?;
        loop {
            if let Some(status) = maven.try_wait()? {
                return match status.success() {
                    true => Ok(()),
                    false => {
                        let log = fs::read_to_string(&log)?;
                        Err(format!("fetching {name} {version} failed: `mvn`:\n{log}").into())
                    }
                };
            }
            let seconds = started.elapsed().as_secs();
            reporter.tick(&format!("fetching {name} {version}: {seconds} s"));
            sleep(Duration::from_millis(200));
        }
    }

    /// Returns a project that depends on the artifacts.
    fn project(&self) -> String {
        let Self { name, version, .. } = self;
        let dependency = |(group, artifact, version): &(&str, &str, &str)| {
            format!(
                "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
                 <version>{version}</version></dependency>"
            )
        };
        let dependencies: String = self.artifacts.iter().map(dependency).collect();
        format!(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
             <groupId>rustok-telemetry</groupId><artifactId>{name}</artifactId><version>{version}</version>\
             <packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>"
        )
    }
}

/// Returns a command that runs Java with the jars of a folder.
pub(super) fn java(jars: &Path) -> Command {
    let mut java = Command::new("java");
    java.arg("-classpath").arg(jars.join("*"));
    java
}

/// Returns the error of a program that could not be run.
fn missing(program: &str, error: &std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => format!(
            "`{program}` is not on the PATH: install Java 17 and Maven, on Debian with `apt-get install {PACKAGES}`"
        )
        .into(),
        _ => format!("`{program}`: {error}").into(),
    }
}
