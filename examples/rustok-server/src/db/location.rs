//! Where the data is: a file for SQLite, or the address of a PostgreSQL server.

use std::fmt::{self, Display};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use url::Url;

use crate::errors::{Exit, Fatal};

/// A checked `--database` value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of the embedded SQLite.
    File {
        /// Its path.
        path: PathBuf,
        /// The path as the driver takes it.
        url: String,
    },
    /// A PostgreSQL server.
    Server {
        /// The whole address, with the password.
        url: String,
        /// The address without it, for messages.
        shown: String,
    },
}

impl Location {
    /// Reads a path, `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// One line that says what is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        const WANTED: &str = "give a file, sqlite:FILE or postgres://user:password@host/name";
        if text.is_empty() {
            return Err(format!("database: the value is empty; {WANTED}"));
        }
        if text.contains(":memory:") {
            return Err(format!(
                "database: `{text}`: each connection would have its own; {WANTED}"
            ));
        }
        if let Some(path) = text
            .strip_prefix("sqlite://")
            .or(text.strip_prefix("sqlite:"))
        {
            return Ok(Self::file(path));
        }
        let Some((scheme, _)) = text.split_once("://") else {
            return Ok(Self::file(text));
        };
        if !matches!(scheme, "postgres" | "postgresql") {
            return Err(format!(
                "database: `{scheme}://` is not supported; {WANTED}"
            ));
        }
        let url = Url::parse(text).map_err(|error| format!("database: {error}; {WANTED}"))?;
        let mut shown = url.clone();
        if shown.password().is_some() && shown.set_password(Some("***")).is_err() {
            return Err(format!("database: the address has no host; {WANTED}"));
        }
        shown.set_query(None);
        Ok(Self::Server {
            url: url.into(),
            shown: shown.into(),
        })
    }

    /// The address as the driver takes it.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::File { url, .. } | Self::Server { url, .. } => url,
        }
    }

    /// Whether the data is in a file of this service.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self, Self::File { .. })
    }

    /// The database's name, as OpenTelemetry has it.
    #[must_use]
    pub fn system(&self) -> &'static str {
        if self.is_embedded() {
            "sqlite"
        } else {
            "postgresql"
        }
    }

    /// Finds out beforehand what the driver would say in riddles or, as for the superuser,
    /// not at all.
    pub(super) fn check(&self) -> Result<(), Fatal> {
        let Self::File { path, .. } = self else {
            return Ok(());
        };
        let problem = match fs::metadata(path) {
            Ok(found) if found.is_dir() => "is a directory; give a file",
            Ok(found) if found.permissions().readonly() => {
                "is read-only; make it writable or give another file"
            }
            Ok(_) => return Ok(()),
            Err(_) if !parent_exists(path) => "is in a directory that doesn't exist; create it",
            Err(_) => return Ok(()),
        };
        Err(Fatal::new(Exit::Io, format!("database {self} {problem}")))
    }

    /// Waits until no other process prepares the same file. The lock is on a file beside it, since SQLite's own locks
    /// are lost when anybody else in the process closes the database's file.
    ///
    /// # Errors
    /// When the file beside it can't be made.
    pub(super) async fn lock(&self) -> Result<Option<File>, Fatal> {
        let Self::File { path, .. } = self else {
            return Ok(None);
        };
        let mut beside = path.clone().into_os_string();
        beside.push(".lock");
        let locking = tokio::task::spawn_blocking(move || {
            let file = File::create(&beside)?;
            file.lock()?;
            Ok(file)
        });
        let locked = locking
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        locked.map(Some).map_err(|error| {
            Fatal::new(
                Exit::Io,
                format!("database {self} can't be locked: {error}; its directory must be writable"),
            )
        })
    }

    fn file(path: &str) -> Self {
        // The driver takes an address, where these three have a meaning of their own.
        let escaped = path
            .replace('%', "%25")
            .replace('?', "%3F")
            .replace('#', "%23");
        Self::File {
            path: PathBuf::from(path),
            url: format!("sqlite:{escaped}?mode=rwc"),
        }
    }
}

impl Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => write!(f, "`{}`", path.display()),
            Self::Server { shown, .. } => write!(f, "{shown}"),
        }
    }
}

fn parent_exists(path: &Path) -> bool {
    path.parent()
        .is_none_or(|parent| parent.as_os_str().is_empty() || parent.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_an_sqlite_file() {
        let location = Location::parse("data/a#b.db").expect("a path");
        assert_eq!(location.url(), "sqlite:data/a%23b.db?mode=rwc");
        assert_eq!(
            Location::parse("sqlite:data/a#b.db").expect("an address"),
            location
        );
    }

    #[test]
    fn messages_do_not_show_the_password() {
        let location = Location::parse("postgres://me:secret@db/shop").expect("an address");
        assert_eq!(location.to_string(), "postgres://me:***@db/shop");
        assert!(location.url().contains("secret"));
    }

    #[test]
    fn other_databases_are_rejected_by_name() {
        let problem = Location::parse("mysql://db/shop").expect_err("not supported");
        assert!(problem.contains("`mysql://` is not supported"), "{problem}");
    }
}
