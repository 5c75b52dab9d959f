//! The artifact root: where everything of a campaign lies.

use std::path::{Component, Path, PathBuf};

use crate::error::LedgerError;

/// Paths below an artifact root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// The root at `path`; nothing is looked at yet.
    pub fn new(path: impl Into<PathBuf>) -> Root {
        Root(path.into())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The immutable contract.
    pub fn target_lock(&self) -> PathBuf {
        self.0.join("target.lock.json")
    }

    /// The chained lines: the only source of truth.
    pub fn ledger(&self) -> PathBuf {
        self.0.join("ledger.jsonl")
    }

    /// The head of the chain as last written, so that a shortened ledger is noticed.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint.json")
    }

    /// What writers lock.
    pub fn lock_file(&self) -> PathBuf {
        self.0.join(".lock")
    }

    /// The file by which a person stops the campaign.
    pub fn stop_file(&self) -> PathBuf {
        self.0.join("STOP")
    }

    /// A file as it is found from here, whatever the current folder is: by its way from the root, and by its absolute path
    /// where that was typed or where the two have no folder in common.
    pub fn way_to(&self, file: &Path) -> PathBuf {
        let (Some(root), Ok(found)) = (resolved(&self.0), file.canonicalize()) else {
            return file.to_owned();
        };
        if file.is_absolute() {
            return file.to_owned();
        }
        let common = root
            .components()
            .zip(found.components())
            .take_while(|(one, other)| one == other)
            .count();
        // The first one is that of the file system.
        if common < 2 {
            return found;
        }
        let up = std::iter::repeat_n(Component::ParentDir, root.components().count() - common);
        up.chain(found.components().skip(common)).collect()
    }

    /// Where the file with this hash (`sha256:<hex>`) is stored.
    pub fn object(&self, sha256: &str) -> PathBuf {
        let hex = sha256.strip_prefix("sha256:").unwrap_or(sha256);
        // A name from a document need not be a hash; then no such file is there.
        let (folder, name) = hex.split_at_checked(2).unwrap_or((hex, ""));
        self.0.join("objects").join("sha256").join(folder).join(name)
    }
}

/// A folder that need not be there yet, without links.
fn resolved(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let existing = path.ancestors().find(|ancestor| ancestor.exists())?;
    let rest = path.strip_prefix(existing).ok()?;
    Some(existing.canonicalize().ok()?.join(rest))
}

/// File systems on which a lock of one machine says nothing to another, by their magic numbers (linux/magic.h and the
/// file systems' own headers).
const NETWORK: [(u64, &str); 12] = [
    (0x6969, "nfs"),
    (0x517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x0bd0_0bd0, "lustre"),
    (0x00c3_6400, "ceph"),
    (0x4750_4653, "gpfs"),
    (0x0102_1997, "9p"),
    (0x5346_414f, "afs"),
    (0x7461_636f, "ocfs2"),
    (0x0116_1970, "gfs2"),
    (0x1989_0604, "beegfs"),
];

/// The name of the network file system with this magic number.
pub fn network_file_system(magic: u64) -> Option<&'static str> {
    NETWORK
        .iter()
        .find(|(known, _)| *known == magic & 0xffff_ffff)
        .map(|(_, name)| *name)
}

/// Refuses a file in place of the folder.
///
/// # Errors
/// [`LedgerError::RootIsFile`].
pub fn refuse_file(path: &Path) -> Result<(), LedgerError> {
    if path.is_file() {
        return Err(LedgerError::RootIsFile(path.to_owned()));
    }
    Ok(())
}

/// Refuses a root on a network file system, where the lock does not hold.
///
/// # Errors
/// [`LedgerError::NetworkFileSystem`].
pub fn refuse_network(path: &Path, allowed: bool) -> Result<(), LedgerError> {
    if allowed {
        return Ok(());
    }
    // A folder that cannot be asked fails at the first write, with the system's own words.
    let Some(magic) = magic_of(path) else {
        return Ok(());
    };
    match network_file_system(magic) {
        Some(kind) => Err(LedgerError::NetworkFileSystem {
            path: path.to_owned(),
            kind,
        }),
        None => Ok(()),
    }
}

#[cfg(target_os = "linux")]
fn magic_of(path: &Path) -> Option<u64> {
    // The ancestors of a relative path end in "", which does not exist.
    let path = std::path::absolute(path).ok()?;
    let existing = path.ancestors().find(|ancestor| ancestor.exists())?;
    // The type differs between architectures; the low 32 bits are what the table holds.
    rustix::fs::statfs(existing).ok().map(|stat| stat.f_type as u64)
}

#[cfg(not(target_os = "linux"))]
fn magic_of(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        assert_eq!(network_file_system(0x6969), Some("nfs"));
        // As a 32-bit signed number, the way some architectures report it.
        assert_eq!(network_file_system(0xffff_ffff_ff53_4d42), Some("cifs"));
        assert_eq!(network_file_system(0xef53), None, "ext4");
        assert_eq!(network_file_system(0x0102_1994), None, "tmpfs");
    }

    #[test]
    fn a_local_folder_that_does_not_exist_yet_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        refuse_network(&folder.path().join("a/b"), false).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_file_system_of_a_folder_that_does_not_exist_yet_is_known() {
        for new in ["new-root", "new/root", "./new-root", "."] {
            assert!(magic_of(Path::new(new)).is_some(), "{new}");
        }
    }

    #[test]
    fn objects_lie_in_folders_of_their_first_two_digits() {
        assert_eq!(
            Root::new("r").object("sha256:abcdef"),
            Path::new("r/objects/sha256/ab/cdef")
        );
    }
}
