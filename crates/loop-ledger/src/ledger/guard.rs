//! The lock of the writers: the kernel releases it when its holder dies, however it dies.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Root;
use crate::error::LedgerError;

/// How long a writer waits for another.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// How often it looks.
const LOCK_POLL: Duration = Duration::from_millis(2);

/// Returns when no writer holds the lock.
///
/// # Errors
/// A writer that does not end; those of opening the lock file.
pub fn wait_for_writer(root: &Root) -> Result<(), LedgerError> {
    take_lock(root).map(drop)
}

/// Waits for another writer, but not for ever.
pub(super) fn take_lock(root: &Root) -> Result<File, LedgerError> {
    take_lock_within(root, LOCK_WAIT)
}

fn take_lock_within(root: &Root, wait: Duration) -> Result<File, LedgerError> {
    let path = root.lock_file();
    let until = Instant::now() + wait;
    loop {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| LedgerError::io("open", &path, &error))?;
        match file.try_lock() {
            Ok(()) if is_still(&file, &path) => return Ok(file),
            // The file was removed and made anew while we waited: another writer may hold the new one.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(LedgerError::io("lock", &path, &error)),
        }
        if Instant::now() >= until {
            return Err(LedgerError::Busy(path));
        }
        std::thread::sleep(LOCK_POLL);
    }
}

/// Whether an open file is the one at the path.
#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_still(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use cli_kit::ToolError as _;

    use super::*;

    #[test]
    fn a_writer_that_does_not_end_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        let held = take_lock(&root).unwrap();
        let busy = take_lock_within(&root, Duration::ZERO).unwrap_err();
        assert_eq!(busy.code(), "ledger-busy");
        assert!(busy.retryable() && busy.hint().is_some());
        drop(held);
        take_lock_within(&root, Duration::ZERO).unwrap();
    }
}
