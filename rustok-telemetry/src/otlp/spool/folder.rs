//! The files of a spool: a request each, in a folder that one process uses at a time.
//!
//! The process that holds the lock on `<signal>-<id>.lock` owns the folder `<signal>-<id>` beside it. The kernel
//! releases the lock when a process ends, however it ends; the next process that starts adopts the files.

use std::{
    collections::VecDeque,
    fs::{self, DirBuilder, DirEntry, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::atomic::Ordering::Relaxed,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use uuid::Uuid;

use super::{
    super::requests::Request,
    file::{HEAD, LARGEST_FILE, blocks, files, name, parse, read, write},
};
use crate::{
    InitError,
    config::{Signal, SpoolConfig},
    delivery::{QueueStats, SpoolDrop, SpoolStats},
};

/// Most files that are kept after they were set aside.
const MOST_SET_ASIDE: usize = 16;

/// The requests that wait on disk, oldest first.
#[derive(Debug)]
pub(in crate::otlp) struct Spool {
    root: PathBuf,
    folder: PathBuf,
    /// Its lock lasts as long as it is open.
    _lock: File,
    max_bytes: u64,
    max_age: Duration,
    queue: &'static QueueStats,
    stats: &'static SpoolStats,
    /// Requests of earlier processes, and those that could not be sent at once.
    pub(super) backlog: VecDeque<Entry>,
    /// Newer requests, which have not been sent yet.
    pub(super) live: VecDeque<Entry>,
    /// Time of the newest request.
    newest: u64,
    /// Requests that could not be written.
    held: usize,
    /// Whether the last write failed.
    write_failed: bool,
    set_aside_logged: bool,
}

/// A request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Nanoseconds since 1970; unique in its folder.
    at: u64,
    pub(super) items: usize,
    /// Bytes on disk.
    pub(super) bytes: u64,
    /// The request, if it could not be written.
    message: Option<Bytes>,
}

impl Entry {
    /// Its items, if it could not be written.
    pub(super) fn held_items(&self) -> usize {
        self.message.as_ref().map_or(0, |_| self.items)
    }
}

/// The requests among which is the next one to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Backlog,
    Live,
}

impl Spool {
    /// Opens the spool of a signal, with the files of ended processes; `None` if none is configured.
    pub(in crate::otlp) fn open(
        config: &SpoolConfig,
        signal: Signal,
        queue: &'static QueueStats,
    ) -> Result<Option<Self>, InitError> {
        let Some(dir) = &config.dir.value else {
            return Ok(None);
        };
        let signal = signal.path().trim_start_matches("/v1/");
        let spool = Self::open_in(dir, config, signal, queue).map_err(|error| {
            let shown = dir.display();
            InitError::pipeline(
                format!(
                    "the spool in {shown} (RUSTOK_TELEMETRY_SPOOL_DIR needs a directory on a local disk that the \
                     service can write)"
                ),
                error,
            )
        });
        spool.map(Some)
    }

    fn open_in(
        dir: &Path,
        config: &SpoolConfig,
        signal: &str,
        queue: &'static QueueStats,
    ) -> io::Result<Self> {
        directories().recursive(true).create(dir)?;
        let root = dir.canonicalize()?;
        let folder = root.join(format!("{signal}-{}", Uuid::new_v4()));
        // Before the folder exists, so that no other process adopts it.
        let lock = lock(&folder)?;
        directories().create(&folder)?;
        let mut spool = Self {
            root,
            folder,
            _lock: lock,
            max_bytes: config.max_bytes.value,
            max_age: config.max_age.value,
            queue,
            stats: queue.start_spool(),
            backlog: VecDeque::new(),
            live: VecDeque::new(),
            newest: 0,
            held: 0,
            write_failed: false,
            set_aside_logged: false,
        };
        spool.adopt(signal)?;
        spool.make_room(0);
        Ok(spool)
    }

    /// Moves the files of ended processes into the folder of this one, oldest first.
    fn adopt(&mut self, signal: &str) -> io::Result<()> {
        let (mut found, mut folders) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.root)?.flatten() {
            let path = entry.path();
            if path == self.folder || !is_folder(&entry, signal) {
                continue;
            }
            // The process that has the lock is alive.
            let Ok(lock) = lock(&path) else {
                continue;
            };
            let files = fs::read_dir(&path).into_iter().flatten().flatten();
            found.extend(files.filter_map(|file| self.inspect(&file)));
            folders.push((path, lock));
        }
        found.sort_unstable();
        for (at, items, bytes, path) in found {
            self.newest = at.max(self.newest + 1);
            let entry = Entry {
                at: self.newest,
                items,
                bytes,
                message: None,
            };
            // A file that cannot be moved stays for the next process.
            if fs::rename(path, self.path(&entry)).is_ok() {
                self.queue.adopt(items);
                self.stats.add(items, bytes);
                self.backlog.push_back(entry);
            }
        }
        for (folder, _lock) in folders {
            remove_folder(&folder);
        }
        Ok(())
    }

    /// Returns time, items, bytes and path of a file of an ended process. Others are set aside.
    fn inspect(&self, file: &DirEntry) -> Option<(u64, usize, u64, PathBuf)> {
        let path = file.path();
        let name = file.file_name();
        let is_file = file.file_type().is_ok_and(|kind| kind.is_file());
        let Some((at, items, is_complete)) = name.to_str().filter(|_| is_file).and_then(parse)
        else {
            self.set_aside(&path, false);
            return None;
        };
        if !is_complete && !matches!(read(&path), Ok(Some(_))) {
            self.stats.cut_off.fetch_add(1, Relaxed);
            let _ = fs::remove_file(path);
            return None;
        }
        let length = file.metadata().ok()?.len();
        Some((at, items, blocks(length), path))
    }

    /// Adds a request, which waits in memory if it cannot be written. The oldest ones are dropped if it does not fit.
    pub(super) fn add(&mut self, request: Request, to: Part) {
        let Request { message, items } = request;
        let bytes = blocks((HEAD + message.len()) as u64);
        self.make_room(bytes);
        self.newest = now().max(self.newest + 1);
        let mut entry = Entry {
            at: self.newest,
            items,
            bytes: 0,
            message: None,
        };
        let written = write(&self.path(&entry), &message);
        match written {
            Ok(()) => {
                entry.bytes = bytes;
                self.stats.add(items, bytes);
            }
            Err(_) => {
                self.held += 1;
                entry.message = Some(message);
            }
        }
        self.note_write(&written);
        self.part(to).push_back(entry);
    }

    /// Whether requests wait in memory, because they could not be written.
    pub(super) fn holds_requests(&self) -> bool {
        self.held > 0
    }

    /// Items of those requests, without the one that is being sent.
    pub(super) fn held_items(&self) -> usize {
        let entries = self.backlog.iter().chain(&self.live);
        entries.map(Entry::held_items).sum()
    }

    /// Writes the requests that wait in memory. Returns whether none is left.
    pub(super) fn write_held(&mut self) -> bool {
        if self.held == 0 {
            return true;
        }
        // One that is being sent is not among these.
        let mut tried = None;
        for entry in self.backlog.iter_mut().chain(&mut self.live) {
            let Some(message) = &entry.message else {
                continue;
            };
            let path = self.folder.join(name(entry.at, entry.items));
            let written = write(&path, message);
            let has_failed = written.is_err();
            tried = Some(written);
            if has_failed {
                break;
            }
            entry.bytes = blocks((HEAD + message.len()) as u64);
            entry.message = None;
            self.stats.add(entry.items, entry.bytes);
            self.held -= 1;
        }
        if let Some(written) = tried {
            self.note_write(&written);
        }
        self.held == 0
    }

    /// Takes the next request. Those whose files cannot be decoded are set aside, counted and skipped.
    pub(super) fn take(&mut self, from: Part) -> io::Result<Option<(Entry, Bytes)>> {
        while let Some(entry) = self.part(from).pop_front() {
            if let Some(message) = entry.message.clone() {
                return Ok(Some((entry, message)));
            }
            let path = self.path(&entry);
            match read(&path) {
                Ok(Some(message)) => return Ok(Some((entry, message))),
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    self.part(from).push_front(entry);
                    return Err(error);
                }
                Ok(None) | Err(_) => {
                    self.set_aside(&path, true);
                    self.drop_entry(&entry, SpoolDrop::Corrupt);
                }
            }
        }
        Ok(None)
    }

    /// Removes a request that was taken.
    pub(super) fn finish(&mut self, entry: &Entry) {
        if entry.message.is_some() {
            self.held -= 1;
            return;
        }
        let _ = fs::remove_file(self.path(entry));
        self.stats.remove(entry.items, entry.bytes);
    }

    /// Puts a request that could not be sent back.
    pub(super) fn put_back(&mut self, entry: Entry, to: Part) {
        self.part(to).push_front(entry);
    }

    /// Puts requests in the place of one that was taken. They are written first: a kill in between sends them twice.
    pub(super) fn replace(&mut self, entry: &Entry, by: Vec<Request>, to: Part) {
        let mut behind = std::mem::take(self.part(to));
        for request in by {
            self.add(request, to);
        }
        self.part(to).append(&mut behind);
        self.finish(entry);
    }

    /// Makes the newer requests a part of the backlog.
    pub(super) fn defer_live(&mut self) {
        self.backlog.append(&mut self.live);
    }

    /// Drops the requests that are too old.
    pub(super) fn drop_expired(&mut self) {
        let max_age = u64::try_from(self.max_age.as_nanos()).unwrap_or(u64::MAX);
        let oldest = now().saturating_sub(max_age);
        while let Some(entry) = self.pop_oldest(|entry| entry.at < oldest) {
            self.drop_entry(&entry, SpoolDrop::Expired);
        }
    }

    /// Leaves the files to the next process. Requests that could not be written are dropped, and counted as failed.
    pub(super) fn close(&mut self) {
        for entry in self.backlog.iter().chain(&self.live) {
            if entry.message.is_some() {
                self.queue.finish_failed(entry.items);
            }
        }
        if self.backlog.is_empty() && self.live.is_empty() {
            remove_folder(&self.folder);
        }
    }

    fn part(&mut self, part: Part) -> &mut VecDeque<Entry> {
        match part {
            Part::Backlog => &mut self.backlog,
            Part::Live => &mut self.live,
        }
    }

    fn path(&self, entry: &Entry) -> PathBuf {
        self.folder.join(name(entry.at, entry.items))
    }

    fn make_room(&mut self, bytes: u64) {
        while self.stats.bytes.load(Relaxed) + bytes > self.max_bytes {
            let Some(entry) = self.pop_oldest(|_| true) else {
                return;
            };
            self.drop_entry(&entry, SpoolDrop::Full);
        }
    }

    fn pop_oldest(&mut self, only_if: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let part = match self.backlog.is_empty() {
            true => Part::Live,
            false => Part::Backlog,
        };
        self.part(part).pop_front_if(|entry| only_if(entry))
    }

    fn drop_entry(&mut self, entry: &Entry, reason: SpoolDrop) {
        self.stats.drop_items(entry.items, reason);
        self.finish(entry);
    }

    /// Renames a file to `*.corrupt`, beside the folders. Beyond the limits a file of this crate is removed, and a foreign
    /// one stays where it is.
    fn set_aside(&self, path: &Path, is_own: bool) {
        self.stats.set_aside.fetch_add(1, Relaxed);
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        let file = path.file_name().unwrap_or_default();
        let (folder, file) = (folder.to_string_lossy(), file.to_string_lossy());
        let to = self.root.join(format!("{folder}-{file}.corrupt"));
        let kept = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let kept = kept.filter(|entry| entry.path().extension().is_some_and(|it| it == "corrupt"));
        let fits = fs::symlink_metadata(path).is_ok_and(|file| file.len() <= LARGEST_FILE);
        if fits && kept.count() < MOST_SET_ASIDE {
            let _ = fs::rename(path, &to);
        } else if is_own {
            let _ = fs::remove_file(path);
        }
    }

    /// Logs once that files were set aside. When the first ones are, log lines are not installed yet.
    pub(super) fn log_set_aside(&mut self) {
        let files = self.stats.set_aside.load(Relaxed);
        if files > 0 && !self.set_aside_logged {
            self.set_aside_logged = true;
            tracing::warn!(
                "{files} files in {} are no intact files of the spool, and are set aside as *.corrupt. Further files \
                 are counted in the health and not logged.",
                self.root.display()
            );
        }
    }

    /// Counts a failure. Logs the first one, and the next success.
    fn note_write(&mut self, written: &io::Result<()>) {
        let was_failing = std::mem::replace(&mut self.write_failed, written.is_err());
        let folder = self.folder.display();
        match written {
            Ok(()) if was_failing => {
                tracing::info!("writing to the spool in {folder} succeeds again");
            }
            Ok(()) => {}
            Err(error) => {
                self.stats.write_failures.fetch_add(1, Relaxed);
                if !was_failing {
                    tracing::warn!(
                        "writing to the spool in {folder} failed: {error}. The batch waits in memory, as without a \
                         spool. Further failures are counted in the health and not logged until a write succeeds."
                    );
                }
            }
        }
    }
}

/// Whether it is a folder of a spool of this signal.
fn is_folder(entry: &DirEntry, signal: &str) -> bool {
    let name = entry.file_name();
    let id = name.to_str().and_then(|name| name.strip_prefix(signal));
    let id = id.and_then(|id| id.strip_prefix('-'));
    id.is_some_and(|id| Uuid::parse_str(id).is_ok())
        && entry.file_type().is_ok_and(|kind| kind.is_dir())
}

/// Locks a folder for this process.
fn lock(folder: &Path) -> io::Result<File> {
    let mut options = files();
    let file = options
        .truncate(false)
        .open(folder.with_extension("lock"))?;
    file.try_lock()?;
    Ok(file)
}

/// Removes a folder without files, and its lock.
fn remove_folder(folder: &Path) {
    let removed = fs::remove_dir(folder);
    if removed.map_or_else(|error| error.kind() == ErrorKind::NotFound, |()| true) {
        let _ = fs::remove_file(folder.with_extension("lock"));
    }
}

/// Creates directories that only their owner can use.
fn directories() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
