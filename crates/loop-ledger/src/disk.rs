//! Room on the file system of the root.

use std::path::Path;

/// Free space below which a campaign should not go on, GiB, where nobody says otherwise.
pub(crate) const FLOOR_GIB: f64 = 5.0;

/// Bytes that may be written below a folder, or below its nearest parent that exists; `None` where the system does not
/// say.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let absolute = std::path::absolute(folder).ok()?;
    let existing = absolute.ancestors().find(|ancestor| ancestor.exists())?;
    let stat = rustix::fs::statvfs(existing).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes as GiB.
pub(crate) fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1u32 << 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_the_room_of_its_file_system() {
        let folder = tempfile::tempdir().unwrap();
        let free = free_bytes(folder.path()).unwrap();
        assert!(free > 0);
        assert!(free_bytes(&folder.path().join("not/yet")).is_some());
        assert!((gib(5 << 30) - FLOOR_GIB).abs() < 1e-9);
    }
}
