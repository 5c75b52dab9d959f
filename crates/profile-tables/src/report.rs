//! Plan to document: read, grade, fold, put together.

use std::collections::BTreeMap;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::profile_tables::report::{GraphInfo, MappingInfo, ReportData, SCHEMA};
use contracts::{Exit, Warning};
use torch_trace::{Derived, Stage, StageChoice, Trace, TraceFile, read_one};
use trace_document::{Run, RunError, defect_warnings, input_of};

use crate::align::align;
use crate::cli::Args;
use crate::critical::{self, PathSum};
use crate::error::TablesError;
use crate::fold::{StageSum, add};
use crate::fusions::{self, FuseSums};
use crate::graph::{Placed, place};
use crate::next::next_actions;
use crate::plan::Plan;
use crate::ranks::{OfRank, compare, summed};
use crate::server::Server;
use crate::summary::summary;
use crate::tables::stage_row;
use crate::traces::read;

/// Share of a graph's kernels below which a mapping trace is of something else, percent.
const MAPPING_FITS_PCT: u64 = 50;

pub(crate) fn run(plan: &Plan, output: &OutputArgs) -> Result<Report, Failure> {
    let bar = cli_kit::spinner("reading traces", output);
    let mut warnings = Vec::new();
    let server = plan.server_info.as_deref().map(Server::read).transpose()?;
    let server = server.as_ref();
    let run = read(&plan.traces, plan.want, plan.stage, plan.rank, &mut warnings)?;

    let mut sums: BTreeMap<Stage, StageSum> = BTreeMap::new();
    let mut fusions: BTreeMap<Stage, FuseSums> = BTreeMap::new();
    let mut paths: BTreeMap<Stage, PathSum> = BTreeMap::new();
    let mapping = plan
        .mapping
        .as_deref()
        .map(|path| read_one(path, plan.want).map_err(RunError::from))
        .transpose()?;
    let mapped = mapping
        .as_ref()
        .map(|file| Derived::of(&file.trace, StageChoice::All, &file.file_name()));
    let (mut graph_kernels, mut aligned_kernels) = (0, 0);
    let mut graph = None;
    let mut placed = match mapping {
        // The kernel table alone has no lines.
        None if plan.want.locations => {
            let traces: Vec<_> = run
                .chosen()
                .map(|(file, derived, _)| (&file.trace, derived))
                .collect();
            let placed = place(&traces);
            graph = graph_info(&traces, &placed);
            placed
        }
        _ => Vec::new(),
    }
    .into_iter();
    for (file, derived, engine) in run.chosen() {
        let located = match (&mapping, &mapped) {
            (Some(mapping), Some(mapped)) => {
                let alignment = align(&file.trace, derived, &mapping.trace, mapped);
                graph_kernels += alignment.graph_kernels;
                aligned_kernels += alignment.aligned;
                alignment.located
            }
            _ => placed.next().unwrap_or_default().located,
        };
        add(&mut sums, &file.trace, derived, &located);
        fusions::add(&mut fusions, &file.trace, derived, engine, server);
        critical::add(&mut paths, &file.trace, derived);
        warnings.extend(defect_warnings(file));
    }
    if let Some(mapping) = &mapping {
        warnings.extend(defect_warnings(mapping));
        check_mapping(mapping, graph_kernels, aligned_kernels, &mut warnings)?;
    }
    if plan.mapping.is_none() && sums.values().any(|sum| sum.graph_events > 0) {
        warnings.push(lines_unknown(graph.as_ref()));
    }
    bar.finish_and_clear();

    let settings = run
        .settings()
        .or_else(|| server.and_then(|server| server.info.engine.as_deref()));
    if let Some(server) = server {
        warnings.extend(server.disagreements(run.settings(), run.world_size()));
    }
    let sums = chosen_stages(sums, plan.stage)?;
    let stages: Vec<_> = sums
        .iter()
        .map(|(stage, sum)| {
            stage_row(
                *stage,
                sum,
                fusions.get(stage).unwrap_or(&FuseSums::new()),
                paths.get(stage),
                settings,
                server,
            )
        })
        .collect();
    let traces = run.infos(&mut warnings);
    let ranks = ranks_of(&run, &mut warnings);

    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs = run.files().chain(&mapping).map(input_of).collect();
    parts.inputs.extend(server.map(|server| server.input.clone()));
    parts.simulated = run.simulated() || mapping.iter().any(|file| file.trace.header.simulated);
    if let Some(binding) = plan.bind.read(settings, run.simulated())? {
        parts.bind(binding);
    }
    parts.summary = summary(&stages, summed(&traces));
    parts.next_actions = next_actions(&plan.traces, &stages, settings.is_some());
    parts.warnings = warnings;
    let data = ReportData {
        traces,
        mapping: mapping.map(|file| MappingInfo {
            path: file.path.display().to_string(),
            graph_kernels,
            aligned: aligned_kernels,
        }),
        server: server.map(|server| server.info.clone()),
        graph,
        stages,
        ranks,
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = crate::render::report(&document, output.top, plan.min_share_pct);
    Ok(Report::new(&document, view, Exit::Ok))
}

/// What was inferred of the kernels of graphs; `None` without any.
fn graph_info(traces: &[(&Trace, &Derived)], placed: &[Placed]) -> Option<GraphInfo> {
    let in_graph = |(trace, derived): &(&Trace, &Derived)| {
        let events = 0..trace.gpu.len();
        events.filter(|event| derived.origins.in_graph(*event)).count() as u64
    };
    let graph_kernels: u64 = traces.iter().map(in_graph).sum();
    (graph_kernels > 0).then(|| GraphInfo {
        graph_kernels,
        placed: placed.iter().map(|placed| placed.placed).sum(),
        inferred: placed.iter().map(|placed| placed.inferred).sum(),
    })
}

/// Why kernels of graphs have no line, and what is known of them instead.
fn lines_unknown(graph: Option<&GraphInfo>) -> Warning {
    let instead = graph.filter(|graph| graph.placed > 0).map(|graph| {
        format!(
            " Of {}, {} have their place in the layers, {} of them a line inferred from the same place in a step without a graph.",
            graph.graph_kernels, graph.placed, graph.inferred
        )
    });
    Warning::new(
        "trace-graph-lines-unknown",
        format!(
            "kernels that a graph replays have no recorded line of Python: give the trace of the graph's capture with --mapping.{}",
            instead.unwrap_or_default()
        ),
    )
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

fn ranks_of(run: &Run, warnings: &mut Vec<Warning>) -> Option<contracts::profile_tables::report::Ranks> {
    let mut ranks: Vec<OfRank<'_>> = Vec::new();
    for of in &run.traces {
        let Some(rank) = of.file.rank else { continue };
        if ranks.iter().all(|known| known.rank != rank) && !of.file.trace.gpu.is_empty() {
            ranks.push(OfRank {
                rank,
                trace: &of.file.trace,
                derived: &of.derived,
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
