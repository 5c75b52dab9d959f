//! The traces of one run: read, derived once, checked to belong together.

use contracts::profile_tables::report::{Completeness, Grade, TraceInfo};
use contracts::{Input, Warning};
use std::path::PathBuf;
use torch_trace::{
    Derived, SIMULATED, StageChoice, Trace, TraceFile, Want, engine_of, grade, read_all, settings_of,
    trace_paths,
};

use crate::error::TablesError;
use crate::plan::RankChoice;

/// Traces of one run.
pub(crate) struct Run {
    pub(crate) files: Vec<TraceFile>,
    /// Of each file.
    pub(crate) derived: Vec<Derived>,
    /// Of each file.
    pub(crate) engines: Vec<Option<&'static str>>,
    /// Of each file, whether it is of the rank that was asked for.
    pub(crate) analysed: Vec<bool>,
}

impl Run {
    /// Reads the traces that `paths` name.
    pub(crate) fn read(
        paths: &[PathBuf],
        want: Want,
        stage: StageChoice,
        rank: RankChoice,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, TablesError> {
        let files = read_all(&trace_paths(paths)?, want)?;
        let derived = files
            .iter()
            .map(|file| Derived::of(&file.trace, stage, &file.file_name()))
            .collect();
        let engines: Vec<Option<&'static str>> = files.iter().map(|file| engine_of(&file.trace)).collect();
        let analysed = choose(rank, &files)?;
        for (file, _) in files.iter().zip(&analysed).filter(|(_, analysed)| **analysed) {
            if file.trace.gpu.is_empty() {
                return Err(no_gpu_events(file));
            }
        }
        let of_folder = paths.iter().any(|path| path.is_dir());
        one_run(&files, &engines, of_folder, warnings)?;
        Ok(Self {
            files,
            derived,
            engines,
            analysed,
        })
    }

    /// The traces of the rank that was asked for.
    pub(crate) fn chosen(&self) -> impl Iterator<Item = (&TraceFile, &Derived, Option<&'static str>)> {
        self.files
            .iter()
            .zip(&self.derived)
            .zip(self.engines.iter().zip(&self.analysed))
            .filter(|(_, (_, analysed))| **analysed)
            .map(|((file, derived), (engine, _))| (file, derived, *engine))
    }

    /// Whether an engine was simulated in any of them: a trace says so itself, whatever is read of it.
    pub(crate) fn simulated(&self) -> bool {
        self.engines.contains(&Some(SIMULATED))
    }

    /// The engine whose settings apply: of a simulated one, the engine that it simulates.
    pub(crate) fn settings(&self) -> Option<&'static str> {
        self.chosen()
            .find_map(|(file, _, engine)| settings_of(&file.trace, engine))
    }

    /// Ranks of the process group, by the first trace that says so.
    pub(crate) fn world_size(&self) -> Option<u32> {
        self.files.iter().find_map(|file| file.trace.header.world_size)
    }

    /// The first engine that is named.
    pub(crate) fn engine(&self) -> Option<&'static str> {
        self.engines.iter().find_map(|engine| *engine)
    }

    /// What documents say of the traces; one that is not complete is a warning.
    pub(crate) fn infos(&self, warnings: &mut Vec<Warning>) -> Vec<TraceInfo> {
        let infos: Vec<TraceInfo> = self
            .files
            .iter()
            .zip(&self.derived)
            .zip(self.engines.iter().zip(&self.analysed))
            .map(|((file, derived), (engine, analysed))| trace_info(file, derived, *engine, *analysed))
            .collect();
        let analysed = infos.iter().filter(|info| info.analysed);
        warnings.extend(analysed.filter_map(TraceInfo::incomplete));
        infos
    }
}

/// The ranks that the files name, each once, lowest first.
fn ranks_named(files: &[TraceFile]) -> Vec<u32> {
    let mut ranks: Vec<u32> = files.iter().filter_map(|file| file.rank).collect();
    ranks.sort_unstable();
    ranks.dedup();
    ranks
}

/// Which files the stage tables are of.
fn choose(choice: RankChoice, files: &[TraceFile]) -> Result<Vec<bool>, TablesError> {
    let ranks = ranks_named(files);
    let wanted = match choice {
        RankChoice::All => return Ok(vec![true; files.len()]),
        RankChoice::Lowest => ranks.first().copied(),
        RankChoice::Only(rank) if ranks.contains(&rank) => Some(rank),
        RankChoice::Only(rank) => {
            let found = match ranks.as_slice() {
                [] => "none that names its rank".to_owned(),
                ranks => ranks.iter().map(u32::to_string).collect::<Vec<_>>().join(", "),
            };
            return Err(TablesError::NoSuchRank { rank, found });
        }
    };
    Ok(files.iter().map(|file| file.rank == wanted).collect())
}

fn no_gpu_events(file: &TraceFile) -> TablesError {
    let trace = &file.trace;
    TablesError::NoGpuEvents {
        path: file.path.display().to_string(),
        events: trace.events,
        cpu_ops: trace.ops.len() as u64,
        damage: file.damage(),
    }
}

/// Several files are ranks or stages of one run, and no two runs.
fn one_run(
    files: &[TraceFile],
    engines: &[Option<&str>],
    of_folder: bool,
    warnings: &mut Vec<Warning>,
) -> Result<(), TablesError> {
    let different = |what: &str, values: Vec<String>| {
        let mut values = values;
        values.sort();
        values.dedup();
        if values.len() > 1 {
            return Err(TablesError::DifferentRuns(format!(
                "their {what} differs: {}",
                values.join(", ")
            )));
        }
        Ok(())
    };
    let header =
        |part: fn(&Trace) -> Option<String>| files.iter().filter_map(|file| part(&file.trace)).collect();
    different(
        "world size",
        header(|trace| trace.header.world_size.map(|size| size.to_string())),
    )?;
    different("GPU", header(|trace| trace.header.gpus.first().cloned()))?;
    different(
        "engine",
        engines
            .iter()
            .flatten()
            .map(|engine| (*engine).to_owned())
            .collect(),
    )?;
    let size = files
        .iter()
        .find_map(|file| file.trace.header.world_size)
        .unwrap_or(1);
    let ranks = ranks_named(files);
    // One file that was named is what was asked for; a folder stands for the run.
    if (files.len() > 1 || of_folder) && ranks.len() < size as usize {
        warnings.push(Warning::new(
            "trace-ranks-missing",
            format!(
                "{} of {size} ranks are here: what the others did is unknown",
                ranks.len()
            ),
        ));
    }
    Ok(())
}

pub(crate) fn warn_of_defects(file: &TraceFile, warnings: &mut Vec<Warning>) {
    warnings.extend(file.defects().map(|(code, text)| Warning::new(code, text)));
}

fn trace_info(file: &TraceFile, derived: &Derived, engine: Option<&str>, analysed: bool) -> TraceInfo {
    let trace = &file.trace;
    TraceInfo {
        path: file.path.display().to_string(),
        rank: file.rank,
        world_size: trace.header.world_size,
        gpu: trace.header.gpus.first().cloned(),
        engine: engine.map(str::to_owned),
        events: trace.events,
        kernels: trace.kernel_count(),
        events_lost: trace.events_lost(),
        analysed,
        completeness: graded(grade(trace, &derived.origins)),
    }
}

fn graded(found: torch_trace::Completeness) -> Completeness {
    Completeness {
        grade: match found.grade {
            torch_trace::Grade::Complete => Grade::Complete,
            torch_trace::Grade::Partial => Grade::Partial,
            torch_trace::Grade::Incomplete => Grade::Incomplete,
        },
        reasons: found.reasons,
    }
}

pub(crate) fn input_of(file: &TraceFile) -> Input {
    Input {
        path: file.path.display().to_string(),
        sha256: file.sha256.clone(),
        bytes: file.file_bytes,
    }
}
