//! `rows`: the shapes, types and strides that kernels are called with, weighted by their time.
//!
//! read (`traces`) -> calls of the kernels that match, by operator and inputs (`rows::calls`) -> document and view.

mod calls;
mod inputs;
mod render;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::profile_tables::rows::{RowsData, SCHEMA};
use contracts::{Exit, Finite, Warning};
use torch_trace::{Stage, StageChoice, Want, short};

use crate::cli::Args;
use crate::error::TablesError;
use crate::plan::RowsPlan;
use crate::ranks::summed;
use crate::traces::read;
use calls::Calls;
use trace_document::{defect_warnings, input_of};

/// Kernels that a failed search names.
const NAMED: usize = 5;

/// Runs `rows`.
pub(crate) fn run(plan: &RowsPlan, output: &OutputArgs) -> Result<Report, Failure> {
    let bar = cli_kit::spinner("reading traces", output);
    let mut warnings = Vec::new();
    let choice = plan.stage.map_or(StageChoice::All, StageChoice::Only);
    let run = read(&plan.traces, Want::ALL, choice, plan.rank, &mut warnings)?;
    for (file, _, _) in run.chosen() {
        warnings.extend(defect_warnings(file));
    }
    let stage = plan.stage.map_or(Stage::All, Stage::Kind);
    let found: Vec<&str> = Stage::LIST
        .iter()
        .filter(|stage| {
            run.chosen()
                .any(|(_, derived, _)| derived.stages.of_event.contains(stage))
        })
        .map(|stage| stage.as_str())
        .collect();
    if !found.contains(&stage.as_str()) {
        return Err(TablesError::NoSuchStage {
            stage: stage.as_str(),
            found: found.join(", "),
        }
        .into());
    }
    let mut calls = Calls::default();
    for (file, derived, _) in run.chosen() {
        calls.add(&file.trace, derived, stage, &plan.kernel);
    }
    bar.finish_and_clear();
    if calls.count == 0 {
        let named: Vec<String> = calls.longest_others(NAMED).map(short).collect();
        return Err(TablesError::NoSuchKernel {
            pattern: contracts::text::clean(plan.kernel.as_str(), 200),
            kernels: calls.others(),
            longest: named.join(", "),
        }
        .into());
    }
    if calls.without_shapes_ns > 0 || calls.without_shapes > 0 {
        warnings.push(without_shapes(&calls));
    }
    let data = RowsData {
        kernel: contracts::text::clean(plan.kernel.as_str(), 1_000),
        stage: stage.as_str().to_owned(),
        calls: calls.count,
        gpu_time_ns: calls.ns,
        with_shapes_pct: Finite::ratio(
            100.0 * (calls.ns - calls.without_shapes_ns) as f64,
            calls.ns as f64,
        ),
        traces: run.infos(&mut warnings),
        workloads: calls.workloads(),
    };

    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs = run.files().map(input_of).collect();
    parts.simulated = run.simulated();
    if let Some(binding) = plan.bind.read(run.settings(), run.simulated())? {
        parts.bind(binding);
    }
    parts.summary = summary(&data);
    parts.warnings = warnings;
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = render::report(&document, output.top);
    Ok(Report::new(&document, view, Exit::Ok))
}

fn summary(data: &RowsData) -> String {
    let with_shapes = || data.workloads.iter().filter(|row| row.input_dims.is_some());
    let what = match (with_shapes().count(), replayed(data)) {
        (0, 0) => "their shapes were not recorded.".to_owned(),
        (0, replayed) if replayed == data.calls => {
            "a graph replays them all, and a replay has no shapes; see the warning.".to_owned()
        }
        (0, replayed) => {
            format!("a graph replays {replayed} of them, the shapes of the others were not recorded.")
        }
        (known, _) => {
            let heaviest = with_shapes()
                .find_map(|row| row.weight_pct)
                .map_or(0.0, Finite::get);
            let rest = data.with_shapes_pct.map_or(0.0, |pct| 100.0 - pct.get());
            let unknown = match rest > 0.05 {
                true => format!(" Of {rest:.1} % of the time no shapes are known."),
                false => String::new(),
            };
            format!(
                "{known} combination(s) of kernel, operator and shapes; the heaviest is {heaviest:.1} % of the time.{unknown}"
            )
        }
    };
    let together = match summed(&data.traces) {
        0 | 1 => String::new(),
        more => format!("Sums over {more} ranks. "),
    };
    format!(
        "{together}{} call(s), {:.3} ms: {what}",
        data.calls,
        data.gpu_time_ns as f64 / 1e6
    )
}

/// Calls that a graph replayed.
fn replayed(data: &RowsData) -> u64 {
    data.workloads.iter().map(|row| row.in_graph_calls).sum()
}

/// Why shapes are unknown, and how they are recorded.
fn without_shapes(calls: &Calls) -> Warning {
    let all = format!("{} of {} calls have no shapes", calls.without_shapes, calls.count);
    let why = if calls.in_graph > 0 {
        format!(
            "{all}, {} of them because a graph replays them: record without graphs (SGLang --disable-cuda-graph, vLLM \
             --enforce-eager) or give the trace of the graph's capture",
            calls.in_graph
        )
    } else {
        format!(
            "{all}: record them with record_shapes (SGLang `\"record_shapes\": true` to /start_profile, vLLM \
             --profiler-config.torch_profiler_record_shapes=true); a kernel that no PyTorch operator launches has none"
        )
    };
    Warning::new("rows-without-shapes", why)
}
