//! A trace and its truth on disk: first under another name, so that nobody reads half of one.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::ask::Ask;
use super::layout;
use super::record::Recording;
use super::timeline::{Scene, timeline};

/// Makes the folder and tries to write into it.
///
/// # Errors
/// What the file system says.
pub(crate) fn check_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let trial = folder.join(format!(".engine-sim-{}", std::process::id()));
    File::create(&trial)?;
    fs::remove_file(&trial)
}

/// Writes `<name><ending>`, whose ending is that of a trace, and `<name>.truth.json`; returns the path of the trace.
///
/// # Errors
/// What the file system says.
pub(crate) fn write(
    scene: &Scene,
    ask: &Ask,
    recording: &Recording,
    folder: &Path,
    name: &str,
    ending: &str,
) -> io::Result<PathBuf> {
    let (events, mut truth) = timeline(scene, ask, recording);
    truth.trace = format!("{name}{ending}");
    let path = folder.join(&truth.trace);
    let truth = serde_json::to_vec_pretty(&truth)?;
    place(&folder.join(format!("{name}.truth.json")), |out| {
        out.write_all(&truth)
    })?;
    place(&path, |out| {
        let mut zipped = GzEncoder::new(out, Compression::fast());
        layout::write(&mut zipped, scene, ask, &events)?;
        zipped.finish().map(drop)
    })?;
    Ok(path)
}

fn place(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let mut out = BufWriter::with_capacity(1 << 16, File::create(&partial)?);
    fill(&mut out)?;
    out.flush()?;
    fs::rename(&partial, path)
}
