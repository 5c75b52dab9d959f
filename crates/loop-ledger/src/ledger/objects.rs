//! Files by the hash of their bytes: what an entry rests on cannot be replaced without notice.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use contracts::fields::{RunningSha256, sha256_hex};

use super::root::Root;

/// Files above this size stay where they are: path, hash and size are kept.
pub const COPY_CAP: u64 = 64 << 20;

/// Hash and size of a file, read in pieces.
///
/// # Errors
/// Those of reading.
pub fn hash_file(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hash = RunningSha256::default();
    let mut buffer = vec![0_u8; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((hash.hex(), bytes));
        }
        hash.add(&buffer[..read]);
        bytes += read as u64;
    }
}

/// Stores bytes under their hash and returns it; storing them again changes nothing.
///
/// # Errors
/// Those of writing.
pub fn put(root: &Root, bytes: &[u8]) -> io::Result<String> {
    let sha256 = sha256_hex(bytes);
    let path = root.object(&sha256);
    if path.is_file() {
        return Ok(sha256);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    cli_kit::write_atomically(&path, bytes)?;
    let mut permissions = fs::metadata(&path)?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions)?;
    Ok(sha256)
}

/// The bytes of a stored file, checked against their hash; `None` when they are another's.
///
/// # Errors
/// Those of reading; the file may be gone.
pub fn get(root: &Root, sha256: &str) -> io::Result<Option<Vec<u8>>> {
    let bytes = fs::read(root.object(sha256))?;
    Ok((sha256_hex(&bytes) == sha256).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_comes_back_and_a_replaced_file_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        let sha256 = put(&root, b"evidence").unwrap();
        assert_eq!(put(&root, b"evidence").unwrap(), sha256);
        assert_eq!(get(&root, &sha256).unwrap().as_deref(), Some(&b"evidence"[..]));
        fs::remove_file(root.object(&sha256)).unwrap();
        fs::write(root.object(&sha256), b"better evidence").unwrap();
        assert_eq!(get(&root, &sha256).unwrap(), None);
    }

    #[test]
    fn a_file_has_the_hash_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, vec![7_u8; 200_000]).unwrap();
        assert_eq!(
            hash_file(&path).unwrap(),
            (sha256_hex(&vec![7_u8; 200_000]), 200_000)
        );
    }
}
