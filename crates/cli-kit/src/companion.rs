//! Tools that need another tool run it as a process.

use std::path::PathBuf;

use contracts::Exit;

use crate::Failure;

/// Finds a binary of this project: beside our own executable first, then on PATH.
///
/// # Errors
/// Exit 4 with the install command when it is in neither place.
pub fn find_companion(name: &str) -> Result<PathBuf, Failure> {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join(name)));
    let on_path = std::env::var_os("PATH").into_iter().flat_map(|path| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .collect::<Vec<PathBuf>>()
    });
    beside.into_iter().chain(on_path).find(|path| path.is_file()).ok_or_else(|| {
        Failure::new(
            Exit::Unavailable,
            "companion-missing",
            format!("`{name}` is neither beside this executable nor on PATH"),
        )
        .hint(format!("install all tools: `uv tool install sota-loop`, or from a checkout `cargo install --path crates/{name}`"))
    })
}
