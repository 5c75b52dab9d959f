//! Waiting for files that another process writes: new ones, of the stage, that have stopped growing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contracts::profile_tables::capture::ProbeStage;

use super::error::CaptureError;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Looks without growth after which a file is whole; engines write for seconds without a pause.
const STILL: u32 = 5;

/// A folder, and what lay in it at the beginning.
pub(super) struct Watch {
    folder: PathBuf,
    before: BTreeMap<PathBuf, u64>,
}

impl Watch {
    /// Remembers what is there now.
    pub(super) fn begin(folder: &Path) -> Watch {
        Watch {
            folder: folder.to_owned(),
            before: traces(folder),
        }
    }

    /// New traces by name: those named after the stage where there are some, else all.
    fn new_traces(&self, stage: ProbeStage) -> BTreeMap<PathBuf, u64> {
        let mut found = traces(&self.folder);
        found.retain(|path, bytes| *bytes > 0 && self.before.get(path) != Some(bytes));
        let word = match stage {
            ProbeStage::Prefill => "-EXTEND",
            ProbeStage::Decode => "-DECODE",
        };
        let named = |path: &PathBuf| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().contains(word))
        };
        if found.keys().any(named) {
            found.retain(|path, _| named(path));
        }
        found
    }

    /// Waits until as many traces as there are ranks have stopped growing, or until the time is over and some have. When
    /// `interrupted` says so it waits no longer, and gives what is there.
    ///
    /// # Errors
    /// [`CaptureError::NoTrace`] when there is none by then.
    pub(super) async fn files(
        &self,
        stage: ProbeStage,
        ranks: usize,
        limit: Duration,
        interrupted: impl Fn() -> bool,
    ) -> Result<Vec<PathBuf>, CaptureError> {
        let started = Instant::now();
        let mut last = BTreeMap::new();
        let mut still = 0;
        loop {
            let found = self.new_traces(stage);
            still = if found == last { still + 1 } else { 0 };
            last = found;
            let is_whole = !last.is_empty() && still >= STILL;
            if interrupted() {
                return Ok(last.into_keys().collect());
            }
            if is_whole && (last.len() >= ranks || started.elapsed() > limit) {
                return Ok(last.into_keys().collect());
            }
            if started.elapsed() > limit && last.is_empty() {
                return Err(CaptureError::NoTrace {
                    folder: self.folder.display().to_string(),
                    waited_s: limit.as_secs(),
                });
            }
            // A file that never stops growing is somebody's log.
            if started.elapsed() > limit * 2 {
                return Ok(last.into_keys().collect());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Traces in a folder with their sizes; none when it is not there yet.
fn traces(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    let is_trace = |name: &str| {
        (name.ends_with(".trace.json.gz") || name.ends_with(".trace.json"))
            // A front end's own trace, and a stage's that is still in pieces.
            && !name.contains("AsyncLLM")
            && !name.contains("async_llm")
            && !name.contains(".part")
            && !name.starts_with("merged-")
    };
    entries
        .filter_map(Result::ok)
        .filter(|entry| is_trace(&entry.file_name().to_string_lossy()))
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.len())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(watch: &Watch, stage: ProbeStage, ranks: usize) -> Result<Vec<String>, CaptureError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let files = runtime.block_on(watch.files(stage, ranks, Duration::from_millis(400), || false))?;
        Ok(files
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect())
    }

    #[test]
    fn only_new_traces_of_the_stage_count() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| std::fs::write(folder.path().join(name), "x").unwrap();
        put("1-TP-0-DECODE.trace.json.gz");
        let watch = Watch::begin(folder.path());
        assert!(matches!(
            wait(&watch, ProbeStage::Decode, 1),
            Err(CaptureError::NoTrace { .. })
        ));
        put("2-TP-0-DECODE.trace.json.gz");
        put("2-TP-0-EXTEND.trace.json.gz");
        put("2-TP-0-DECODE.truth.json");
        put("host.AsyncLLM.3.pt.trace.json.gz");
        assert_eq!(
            wait(&watch, ProbeStage::Decode, 1).unwrap(),
            ["2-TP-0-DECODE.trace.json.gz"]
        );
        assert_eq!(
            wait(&watch, ProbeStage::Prefill, 2).unwrap(),
            ["2-TP-0-EXTEND.trace.json.gz"]
        );
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_empty() {
        assert!(traces(Path::new("/nonexistent/folder")).is_empty());
    }

    #[test]
    fn a_folder_named_after_a_stage_tells_nothing_of_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("run-DECODE");
        std::fs::create_dir(&inside).unwrap();
        let watch = Watch::begin(&inside);
        for name in ["1-TP-0-DECODE.trace.json.gz", "1-TP-0-EXTEND.trace.json.gz"] {
            std::fs::write(inside.join(name), "x").unwrap();
        }
        assert_eq!(
            wait(&watch, ProbeStage::Decode, 1).unwrap(),
            ["1-TP-0-DECODE.trace.json.gz"]
        );
    }

    #[test]
    fn an_interrupted_wait_ends_with_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let watch = Watch::begin(folder.path());
        let name = "1-TP-0-DECODE.trace.json.gz";
        std::fs::write(folder.path().join(name), "x").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let hour = Duration::from_secs(3600);
        let files = runtime.block_on(watch.files(ProbeStage::Decode, 8, hour, || true));
        assert_eq!(files.unwrap(), [folder.path().join(name)]);
    }
}
