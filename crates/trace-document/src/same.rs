//! Several files are ranks or stages of one run, and no two runs.

use contracts::Warning;
use torch_trace::{Trace, TraceFile};

use crate::error::RunError;
use crate::model::{model_beside, same_model};
use crate::ranks::ranks_named;

/// Refuses files that differ in what all ranks of a run share.
pub(crate) fn one_run(files: &[TraceFile], engines: &[Option<&str>]) -> Result<(), RunError> {
    let header =
        |part: fn(&Trace) -> Option<String>| files.iter().filter_map(|file| part(&file.trace)).collect();
    same(
        "world size",
        header(|trace| trace.header.world_size.map(|size| size.to_string())),
    )?;
    same("GPU", header(|trace| trace.header.gpus.first().cloned()))?;
    same(
        "engine",
        engines
            .iter()
            .flatten()
            .map(|engine| (*engine).to_owned())
            .collect(),
    )?;
    let models: Vec<String> = files.iter().filter_map(|file| model_beside(&file.path)).collect();
    // Ranks on two machines may serve one model from two paths.
    let other = models.iter().find(|other| !same_model(&models[0], other));
    same(
        "model",
        models.first().into_iter().chain(other).cloned().collect(),
    )
}

fn same(what: &str, mut values: Vec<String>) -> Result<(), RunError> {
    values.sort();
    values.dedup();
    if values.len() > 1 {
        return Err(RunError::DifferentRuns(format!(
            "their {what} differs: {}",
            values.join(", ")
        )));
    }
    Ok(())
}

/// Ranks of the run that are not here. One file that was named is what was asked for; a folder stands for the run.
pub(crate) fn missing_ranks(files: &[TraceFile], of_folder: bool) -> Option<Warning> {
    let size = files
        .iter()
        .find_map(|file| file.trace.header.world_size)
        .unwrap_or(1);
    let ranks = ranks_named(files);
    ((files.len() > 1 || of_folder) && ranks.len() < size as usize).then(|| {
        Warning::new(
            "trace-ranks-missing",
            format!(
                "{} of {size} ranks are here: what the others did is unknown",
                ranks.len()
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_files::file;

    const OF_TWO: [&str; 2] = [
        r#""distributedInfo": {"rank": 0, "world_size": 2},"#,
        r#""distributedInfo": {"rank": 1, "world_size": 2},"#,
    ];

    #[test]
    fn ranks_of_one_run_go_together_and_two_runs_do_not() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let both = OF_TWO.map(|head| file(folder.path(), head));
        assert!(one_run(&both, &[Some("vllm"), None]).is_ok());
        let error = one_run(&both, &[Some("vllm"), Some("sglang")]).expect_err("two engines");
        assert!(
            error.to_string().contains("engine differs: sglang, vllm"),
            "{error}"
        );
        let other = file(
            folder.path(),
            r#""distributedInfo": {"rank": 1, "world_size": 4},"#,
        );
        let [first, _] = both;
        let error = one_run(&[first, other], &[None, None]).expect_err("two sizes");
        assert!(error.to_string().contains("world size differs: 2, 4"), "{error}");
    }

    #[test]
    fn the_notes_beside_two_traces_say_that_they_are_of_two_models() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let of = |name: &str, model: &str| {
            let inner = folder.path().join(name);
            std::fs::create_dir(&inner).expect("the folder is writable");
            let note = format!(r#"{{"model_path": "{model}"}}"#);
            std::fs::write(inner.join("server_args.json"), note).expect("the folder is writable");
            file(&inner, OF_TWO[0])
        };
        let files = [
            of("a", "Qwen/Qwen3-8B"),
            of("b", "/models/Qwen3-8B"),
            of("c", "gpt-oss-20b"),
        ];
        assert!(one_run(&files[..2], &[]).is_ok());
        let error = one_run(&files, &[]).expect_err("two models");
        assert!(error.to_string().contains("model differs"), "{error}");
    }

    #[test]
    fn a_folder_stands_for_the_run_and_a_file_for_itself() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let one = [file(folder.path(), OF_TWO[0])];
        assert_eq!(missing_ranks(&one, false), None);
        let warning = missing_ranks(&one, true).expect("one of two is missing");
        assert_eq!(warning.code, "trace-ranks-missing");
        let both = OF_TWO.map(|head| file(folder.path(), head));
        assert_eq!(missing_ranks(&both, true), None);
    }
}
