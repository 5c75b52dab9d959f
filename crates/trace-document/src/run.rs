//! The traces of one run: read, derived once, checked to belong together.

use std::path::PathBuf;

use contracts::Warning;
use contracts::trace_info::TraceInfo;
use torch_trace::{
    Derived, SIMULATED, StageChoice, TraceFile, Want, engine_of, read_all, settings_of, trace_paths,
};

use crate::error::RunError;
use crate::info::info;
use crate::ranks::{RankChoice, of_rank};
use crate::same::{missing_ranks, one_run};

/// One trace of a run.
pub struct RunTrace {
    /// What was read.
    pub file: TraceFile,
    /// What follows from it.
    pub derived: Derived,
    /// The engine that wrote it; `None` when nothing says.
    pub engine: Option<&'static str>,
    /// Whether it is of the rank that was asked for.
    pub analysed: bool,
}

impl RunTrace {
    /// The engine whose settings apply: of a simulated one, the engine that it simulates.
    #[must_use]
    pub fn settings(&self) -> Option<&'static str> {
        settings_of(&self.file.trace, self.engine)
    }
}

/// Traces of one run.
pub struct Run {
    /// In the order in which they were named, those of a folder by name.
    pub traces: Vec<RunTrace>,
}

impl Run {
    /// Reads the traces that `paths` name, folders opened.
    ///
    /// # Errors
    /// [`RunError`]: unreadable, without the rank that was asked for, or of several runs.
    pub fn read(
        paths: &[PathBuf],
        want: Want,
        stage: StageChoice,
        rank: RankChoice,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, RunError> {
        let files = read_all(&trace_paths(paths)?, want)?;
        let engines: Vec<Option<&'static str>> = files.iter().map(|file| engine_of(&file.trace)).collect();
        let analysed = of_rank(rank, &files)?;
        one_run(&files, &engines)?;
        warnings.extend(missing_ranks(&files, paths.iter().any(|path| path.is_dir())));
        let traces = files.into_iter().zip(engines).zip(analysed);
        Ok(Self {
            traces: traces
                .map(|((file, engine), analysed)| RunTrace {
                    derived: Derived::of(&file.trace, stage, &file.file_name()),
                    file,
                    engine,
                    analysed,
                })
                .collect(),
        })
    }

    /// The files, in order.
    pub fn files(&self) -> impl Iterator<Item = &TraceFile> {
        self.traces.iter().map(|of| &of.file)
    }

    /// The traces of the rank that was asked for.
    pub fn chosen(&self) -> impl Iterator<Item = (&TraceFile, &Derived, Option<&'static str>)> {
        let chosen = self.traces.iter().filter(|of| of.analysed);
        chosen.map(|of| (&of.file, &of.derived, of.engine))
    }

    /// Whether an engine was simulated in any of them: a trace says so itself, whatever is read of it.
    #[must_use]
    pub fn simulated(&self) -> bool {
        self.traces.iter().any(|of| of.engine == Some(SIMULATED))
    }

    /// The engine whose settings apply to the traces of the rank that was asked for.
    #[must_use]
    pub fn settings(&self) -> Option<&'static str> {
        let mut chosen = self.traces.iter().filter(|of| of.analysed);
        chosen.find_map(RunTrace::settings)
    }

    /// The first engine that is named.
    #[must_use]
    pub fn engine(&self) -> Option<&'static str> {
        self.traces.iter().find_map(|of| of.engine)
    }

    /// Ranks of the process group, by the first trace that says so.
    #[must_use]
    pub fn world_size(&self) -> Option<u32> {
        self.files().find_map(|file| file.trace.header.world_size)
    }

    /// What documents say of the traces; of those that are analysed, one that is not complete is a warning.
    pub fn infos(&self, warnings: &mut Vec<Warning>) -> Vec<TraceInfo> {
        let traces = self.traces.iter();
        let infos: Vec<TraceInfo> = traces
            .map(|of| info(&of.file, &of.derived, of.engine, of.analysed))
            .collect();
        let analysed = infos.iter().filter(|info| info.analysed);
        warnings.extend(analysed.filter_map(TraceInfo::incomplete));
        infos
    }
}
