use std::{collections::BTreeSet, env};

use super::*;
use crate::config::TelemetryConfig;

/// A directory that is removed in the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("spool-{}", Uuid::new_v4()));
        fs::create_dir(&path).expect("a directory");
        Self(path)
    }

    fn open(&self) -> Spool {
        self.open_with(&[])
    }

    fn open_with(&self, limits: &[(&str, &str)]) -> Spool {
        let dir = self.0.to_str().expect("UTF-8");
        let variables = [("RUSTOK_TELEMETRY_SPOOL_DIR", dir)];
        let variables = variables.iter().chain(limits).copied();
        let config = TelemetryConfig::from_vars(variables).expect("a valid configuration");
        let queue = Box::leak(Box::new(QueueStats::new()));
        let spool = Spool::open(&config.spool, Signal::Traces, queue);
        spool.expect("a directory").expect("a spool")
    }

    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(&self.0).expect("a directory").flatten();
        entries
            .map(|entry| entry.file_name().into_string().expect("UTF-8"))
            .collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn request(items: usize) -> Request {
    Request {
        message: vec![b'x'; items].into(),
        items,
    }
}

fn add(spool: &mut Spool, sizes: impl IntoIterator<Item = usize>) {
    for items in sizes {
        spool.add(request(items), Part::Backlog);
    }
}

/// Takes and finishes all requests; returns their items.
fn drain(spool: &mut Spool) -> Vec<usize> {
    let mut taken = Vec::new();
    while let Some((entry, message)) = spool.take(Part::Backlog).expect("a readable file") {
        assert_eq!(message.len(), entry.items);
        taken.push(entry.items);
        spool.finish(&entry);
    }
    taken
}

fn dropped(spool: &Spool) -> Vec<(&'static str, u64)> {
    let lost = spool.queue.lost();
    lost.into_iter().filter(|(_, items)| *items > 0).collect()
}

#[test]
fn requests_of_ended_processes_are_adopted_in_order() {
    let directory = Directory::new();
    let [mut first, mut second] = [(); 2].map(|()| directory.open());
    add(&mut first, [1, 2]);
    add(&mut second, [3]);
    add(&mut first, [4]);
    let mut while_both_live = directory.open();
    assert!(drain(&mut while_both_live).is_empty());
    for spool in [&mut first, &mut second] {
        spool.close();
    }
    drop((first, second));
    let mut third = directory.open();
    add(&mut third, [5]);
    assert_eq!(third.queue.spooled(), 1 + 2 + 3 + 4 + 5);
    assert_eq!(
        third.queue.entered(),
        1 + 2 + 3 + 4,
        "as if they had been recorded here"
    );
    let mut fourth = directory.open();
    assert!(drain(&mut fourth).is_empty(), "the third one lives");
    assert_eq!(drain(&mut third), [1, 2, 3, 4, 5]);
    assert_eq!(third.queue.spooled(), 0);
    for mut spool in [while_both_live, third, fourth] {
        spool.close();
    }
    assert_eq!(directory.names(), BTreeSet::new(), "everything is removed");
}

#[test]
fn the_rest_of_a_request_takes_its_place() {
    let directory = Directory::new();
    let mut spool = directory.open();
    add(&mut spool, [10, 4]);
    let (entry, _) = spool.take(Part::Backlog).expect("readable").expect("one");
    spool.replace(&entry, vec![request(3), request(2)], Part::Backlog);
    assert_eq!(spool.queue.spooled(), 3 + 2 + 4);
    spool.close();
    drop(spool);
    // The rest is on disk, and the request is not.
    let mut next = directory.open();
    assert_eq!(next.queue.spooled(), 3 + 2 + 4);
    let (entry, _) = next.take(Part::Backlog).expect("readable").expect("one");
    let items = entry.items;
    next.replace(&entry, vec![request(1)], Part::Backlog);
    let mut rest: Vec<_> = [4, 3, 2].into_iter().filter(|one| *one != items).collect();
    rest.insert(0, 1);
    assert_eq!(drain(&mut next), rest);
    assert_eq!(next.queue.spooled(), 0);
}

#[test]
fn a_smaller_limit_holds_for_adopted_requests() {
    let directory = Directory::new();
    let mut first = directory.open();
    add(&mut first, [1 << 20; 20]);
    first.close();
    drop(first);
    let mut second = directory.open_with(&[("RUSTOK_TELEMETRY_SPOOL_MAX_BYTES", "16777216")]);
    // A block more than 1 MiB each.
    assert_eq!(drain(&mut second).len(), 15);
    assert_eq!(dropped(&second), [("spool_full", 5 << 20)]);
}

#[test]
fn files_that_are_not_intact_are_set_aside() {
    let directory = Directory::new();
    let mut first = directory.open();
    add(&mut first, 1..=4);
    let paths: Vec<_> = first
        .backlog
        .iter()
        .map(|entry| first.path(entry))
        .collect();
    fs::write(&paths[0], b"RTS1").expect("it is cut");
    fs::remove_file(&paths[1]).expect("it is removed");
    fs::write(first.folder.join("note.txt"), "foreign").expect("a file");
    fs::create_dir(first.folder.join("deep")).expect("a directory");
    fs::write(paths[2].with_extension("part"), b"RTS1").expect("a file");
    let complete = paths[3].with_extension("part");
    fs::rename(&paths[3], &complete).expect("as a process that was killed before the last step");
    drop(first);
    let foreign = directory.0.join("traces-of-mine");
    fs::create_dir(&foreign).expect("a directory");
    fs::write(foreign.join("a"), "foreign").expect("a file");
    let mut second = directory.open();
    assert_eq!(drain(&mut second), [3, 4]);
    assert_eq!(dropped(&second), [("spool_corrupt", 1)]);
    let stats = second.stats;
    let counts = [&stats.set_aside, &stats.cut_off].map(|count| count.load(Relaxed));
    assert_eq!(counts, [3, 1]);
    let names = directory.names();
    let aside = names.iter().filter(|name| name.ends_with(".corrupt"));
    assert_eq!(aside.count(), 3, "{names:?}");
    assert!(foreign.join("a").exists());
}

#[test]
fn few_files_are_kept_aside() {
    let directory = Directory::new();
    let mut spool = directory.open();
    add(&mut spool, [1; 30]);
    for entry in &spool.backlog {
        fs::write(spool.path(entry), "").expect("a file");
    }
    assert!(drain(&mut spool).is_empty());
    assert_eq!(dropped(&spool), [("spool_corrupt", 30)]);
    let names = directory.names();
    let aside = names.iter().filter(|name| name.ends_with(".corrupt"));
    assert_eq!(aside.count(), MOST_SET_ASIDE);
    spool.close();
    assert!(!spool.folder.exists(), "the others are removed");
}

#[test]
fn a_file_that_disappears_is_counted() {
    let directory = Directory::new();
    let mut spool = directory.open();
    add(&mut spool, [1, 2]);
    let path = spool.path(&spool.backlog[0]);
    fs::remove_file(path).expect("it is removed");
    assert_eq!(drain(&mut spool), [2]);
    assert_eq!(dropped(&spool), [("spool_corrupt", 1)]);
}

#[test]
fn what_cannot_be_written_waits_in_memory() {
    let directory = Directory::new();
    let mut spool = directory.open();
    add(&mut spool, [1]);
    let away = directory.0.join("away");
    fs::rename(&spool.folder, &away).expect("the folder disappears");
    add(&mut spool, [2]);
    assert!(spool.holds_requests() && !spool.write_held());
    assert_eq!(spool.queue.spooled(), 1);
    assert_eq!(spool.stats.write_failures.load(Relaxed), 2);
    fs::rename(&away, &spool.folder).expect("it is back");
    assert!(spool.write_held() && !spool.holds_requests());
    assert_eq!(spool.queue.spooled(), 3);
    assert_eq!(drain(&mut spool), [1, 2]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;

    let directory = Directory::new();
    let mut spool = directory.open();
    add(&mut spool, [1]);
    let file = spool.path(&spool.backlog[0]);
    let lock = spool.folder.with_extension("lock");
    let modes = [&spool.folder, &file, &lock].map(|path| {
        let metadata = fs::metadata(path).expect("it exists");
        metadata.permissions().mode() & 0o777
    });
    assert_eq!(modes, [0o700, 0o600, 0o600]);
}
