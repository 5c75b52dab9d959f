//! Plan to document: read, grade, fold, put together.

use std::collections::BTreeMap;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::profile_tables::report::{Completeness, Grade, MappingInfo, ReportData, SCHEMA, TraceInfo};
use contracts::{Exit, Input, Warning};
use torch_trace::{
    DefectKind, Derived, Stage, StageChoice, Trace, TraceFile, engine_of, grade, read_all, read_one,
    style_of, trace_paths,
};

use crate::align::{Alignment, align};
use crate::cli::Args;
use crate::error::TablesError;
use crate::fold::{StageSum, add};
use crate::fusions::{self, FuseSums};
use crate::plan::{Plan, RankChoice};
use crate::ranks::{OfRank, compare};
use crate::summary::summary;
use crate::tables::stage_row;

/// Share of a graph's kernels below which a mapping trace is of something else, percent.
const MAPPING_FITS_PCT: u64 = 50;

pub(crate) fn run(plan: &Plan, output: &OutputArgs) -> Result<Report, Failure> {
    let bar = cli_kit::spinner("reading traces", output);
    let files = trace_paths(&plan.traces)
        .and_then(|paths| read_all(&paths, plan.want))
        .map_err(TablesError::from)?;
    let derived: Vec<Derived> = files
        .iter()
        .map(|file| Derived::of(&file.trace, plan.stage, &file.file_name()))
        .collect();
    let engines: Vec<Option<&str>> = files.iter().map(|file| engine_of(&file.trace)).collect();
    let mut warnings = Vec::new();
    let analysed = choose(plan.rank, &files)?;
    for (file, _) in files.iter().zip(&analysed).filter(|(_, analysed)| **analysed) {
        if file.trace.gpu.is_empty() {
            return Err(no_gpu_events(file).into());
        }
    }
    one_run(plan, &files, &engines, &mut warnings)?;

    let mut sums: BTreeMap<Stage, StageSum> = BTreeMap::new();
    let mut fusions: BTreeMap<Stage, FuseSums> = BTreeMap::new();
    let mapping = plan
        .mapping
        .as_deref()
        .map(|path| read_one(path, plan.want).map_err(TablesError::from))
        .transpose()?;
    let mapped = mapping
        .as_ref()
        .map(|file| Derived::of(&file.trace, StageChoice::All, &file.file_name()));
    let (mut graph_kernels, mut aligned_kernels) = (0, 0);
    for (place, (file, derived)) in files.iter().zip(&derived).enumerate() {
        if !analysed[place] {
            continue;
        }
        let alignment = match (&mapping, &mapped) {
            (Some(mapping), Some(mapped)) => align(&file.trace, derived, &mapping.trace, mapped),
            _ => Alignment::default(),
        };
        graph_kernels += alignment.graph_kernels;
        aligned_kernels += alignment.aligned;
        add(&mut sums, &file.trace, derived, &alignment.of_event);
        fusions::add(&mut fusions, &file.trace, derived, engines[place]);
        warn_of_defects(file, &mut warnings);
    }
    if let Some(mapping) = &mapping {
        warn_of_defects(mapping, &mut warnings);
        check_mapping(mapping, graph_kernels, aligned_kernels, &mut warnings)?;
    }
    if plan.mapping.is_none() && sums.values().any(|sum| sum.graph_events > 0) {
        warnings.push(Warning::new(
            "trace-graph-lines-unknown",
            "kernels that a graph replays have no line of Python: give the trace of the graph's capture with --mapping",
        ));
    }
    bar.finish_and_clear();

    // A simulated engine takes the flags of the engine that it simulates.
    let settings = files
        .iter()
        .zip(&engines)
        .find_map(|(file, engine)| match *engine {
            Some("engine-sim") => style_of(&file.trace),
            engine => engine,
        });
    let sums = chosen_stages(sums, plan.stage)?;
    let stages: Vec<_> = sums
        .iter()
        .map(|(stage, sum)| {
            stage_row(
                *stage,
                sum,
                fusions.get(stage).unwrap_or(&FuseSums::new()),
                settings,
            )
        })
        .collect();
    let traces: Vec<TraceInfo> = files
        .iter()
        .zip(&derived)
        .zip(engines.iter().zip(&analysed))
        .map(|((file, derived), (engine, analysed))| trace_info(file, derived, *engine, *analysed))
        .collect();
    for info in traces
        .iter()
        .filter(|info| info.analysed && info.completeness.grade != Grade::Complete)
    {
        let code = match info.completeness.grade {
            Grade::Incomplete => "trace-incomplete",
            _ => "trace-partial",
        };
        let reasons = info.completeness.reasons.join("; ");
        warnings.push(Warning::new(code, format!("{}: {reasons}", info.path)));
    }
    let ranks = ranks_of(&files, &derived, &mut warnings);

    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs = files.iter().chain(&mapping).map(input_of).collect();
    parts.simulated = engines.contains(&Some("engine-sim"))
        || files
            .iter()
            .chain(&mapping)
            .any(|file| file.trace.header.simulated);
    if let Some(binding) = plan.bind.read(engines.iter().find_map(|engine| *engine))? {
        parts.contract = binding.contract;
        parts.environment = binding.environment;
        parts.subject = binding.subject;
        parts.simulated |= binding.simulated;
        parts.inputs.push(binding.input);
    }
    parts.summary = summary(&stages);
    parts.warnings = warnings;
    let data = ReportData {
        traces,
        mapping: mapping.map(|file| MappingInfo {
            path: file.path.display().to_string(),
            graph_kernels,
            aligned: aligned_kernels,
        }),
        stages,
        ranks,
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = crate::render::report(&document, output.top, plan.min_share_pct);
    Ok(Report::new(&document, view, Exit::Ok))
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
    let cut = |kind: DefectKind| trace.defects.iter().find(|defect| defect.kind == kind);
    let damage = match cut(DefectKind::GzipCut).or_else(|| cut(DefectKind::Truncated)) {
        Some(defect) => format!("; {}, after {} bytes of JSON", defect.kind.what(), trace.bytes),
        None => String::new(),
    };
    TablesError::NoGpuEvents {
        path: file.path.display().to_string(),
        events: trace.events,
        cpu_ops: trace.ops.len() as u64,
        damage,
    }
}

/// Several files are ranks or stages of one run, and no two runs.
fn one_run(
    plan: &Plan,
    files: &[TraceFile],
    engines: &[Option<&str>],
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
    let of_run = files.len() > 1 || plan.traces.iter().any(|path| path.is_dir());
    if of_run && ranks.len() < size as usize {
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

fn warn_of_defects(file: &TraceFile, warnings: &mut Vec<Warning>) {
    for defect in &file.trace.defects {
        warnings.push(Warning::new(
            defect.kind.code(),
            format!(
                "{}: {} (byte {} of the JSON, {} time(s), {} event(s) lost)",
                file.path.display(),
                defect.kind.what(),
                defect.offset,
                defect.count,
                defect.events_lost
            ),
        ));
    }
}

fn check_mapping(
    mapping: &TraceFile,
    graph_kernels: u64,
    aligned: u64,
    warnings: &mut Vec<Warning>,
) -> Result<(), TablesError> {
    let path = mapping.path.display().to_string();
    if graph_kernels == 0 {
        warnings.push(Warning::new(
            "trace-mapping-unused",
            format!("{path} was given for the kernels of graphs, and no graph was launched"),
        ));
    } else if aligned * 100 < graph_kernels * MAPPING_FITS_PCT {
        return Err(TablesError::MappingMismatch {
            path,
            aligned,
            graph_kernels,
        });
    } else if aligned < graph_kernels {
        warnings.push(Warning::new(
            "trace-mapping-partial",
            format!("{aligned} of {graph_kernels} graph kernels have a counterpart in {path}"),
        ));
    }
    Ok(())
}

fn chosen_stages(
    mut sums: BTreeMap<Stage, StageSum>,
    choice: StageChoice,
) -> Result<BTreeMap<Stage, StageSum>, TablesError> {
    if let StageChoice::Only(kind) = choice {
        let found: Vec<&str> = sums.keys().map(|stage| stage.as_str()).collect();
        let found = found.join(", ");
        sums.retain(|stage, _| *stage == Stage::Kind(kind));
        if sums.is_empty() {
            return Err(TablesError::NoSuchStage {
                stage: kind.as_str(),
                found,
            });
        }
    }
    Ok(sums)
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

fn input_of(file: &TraceFile) -> Input {
    Input {
        path: file.path.display().to_string(),
        sha256: file.sha256.clone(),
        bytes: file.file_bytes,
    }
}

fn ranks_of(
    files: &[TraceFile],
    derived: &[Derived],
    warnings: &mut Vec<Warning>,
) -> Option<contracts::profile_tables::report::Ranks> {
    let mut ranks: Vec<OfRank<'_>> = Vec::new();
    for (file, derived) in files.iter().zip(derived) {
        let Some(rank) = file.rank else { continue };
        if ranks.iter().all(|known| known.rank != rank) && !file.trace.gpu.is_empty() {
            ranks.push(OfRank {
                rank,
                trace: &file.trace,
                derived,
            });
        }
    }
    if ranks.len() < 2 {
        return None;
    }
    ranks.sort_by_key(|rank| rank.rank);
    let (compared, uneven) = compare(&ranks);
    if uneven {
        warnings.push(Warning::new(
            "trace-collectives-uneven",
            "the ranks recorded different numbers of collectives: they are matched from the first on, which is wrong when the first is missing",
        ));
    }
    Some(compared)
}
