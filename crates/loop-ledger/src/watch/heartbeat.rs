//! The newest change below a root: a benchmark that writes its records is alive, even when no entry is added for an hour.

use std::path::Path;

use jiff::Timestamp;

/// Files and folders that one look visits at most.
const VISITS: usize = 20_000;
/// Folders below the root that are entered.
const DEPTH: usize = 8;
/// What is written by whoever watches or locks, and is no sign of work.
const NO_SIGN: [&str; 2] = [".lock", "hook.json"];

/// When something below the folder changed last, until then. Links are not followed; what cannot be read is passed over.
pub(crate) fn newest_change(folder: &Path, until: Timestamp) -> Option<Timestamp> {
    let mut newest: Option<Timestamp> = None;
    let mut visits = 0;
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            visits += 1;
            if visits > VISITS {
                return newest;
            }
            let Ok(found) = entry.metadata() else { continue };
            if found.is_dir() {
                // The folder's own time is that of a file made or removed in it, a lock included.
                if depth < DEPTH {
                    folders.push((entry.path(), depth + 1));
                }
                continue;
            }
            if NO_SIGN.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            let changed = found
                .modified()
                .ok()
                .and_then(|time| Timestamp::try_from(time).ok())
                .filter(|time| *time <= until);
            newest = newest.max(changed);
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, FileTimes};
    use std::time::{Duration, SystemTime};

    use super::*;

    fn touch(path: &Path, second: u64) {
        let file = File::create(path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
    }

    #[test]
    fn the_newest_file_counts_wherever_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let newest_change = |folder: &Path| newest_change(folder, Timestamp::from_second(1000).unwrap());
        assert_eq!(newest_change(folder.path()), None);
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        touch(&folder.path().join("ledger.jsonl"), 100);
        touch(&folder.path().join("a/b/records.jsonl.part"), 300);
        touch(&folder.path().join("hook.json"), 900);
        touch(&folder.path().join(".lock"), 900);
        touch(&folder.path().join("to-come.json"), 1001);
        let second = |second| Timestamp::from_second(second).ok();
        assert_eq!(newest_change(folder.path()), second(300));
        std::os::unix::fs::symlink("/", folder.path().join("link")).unwrap();
        assert!(newest_change(&folder.path().join("nowhere")).is_none());
    }
}
