//! Plan to document: read, choose, cut, put together.

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::pipeline_analysis::report::{Detection, PerfettoRange, ReportData, SCHEMA, TraceInfo};
use contracts::{Exit, Finite};
use torch_trace::{StageChoice, Want};
use trace_document::{RankChoice, Run, info, input_of};

use crate::analysis::Analysis;
use crate::cli::Args;
use crate::compare::compare;
use crate::error::PipelineError;
use crate::flow::flow;
use crate::plan::Plan;
use crate::traces::{self, Read};
use crate::{caveats, config, layers, summary};

pub(crate) fn run(plan: &Plan, output: &OutputArgs) -> Result<Report, Failure> {
    let config = plan.config.as_deref().map(config::load).transpose()?;
    let bar = cli_kit::spinner("reading traces", output);
    let mut warnings = Vec::new();
    let run = Run::read(
        &plan.traces,
        Want::ALL,
        StageChoice::Auto,
        RankChoice::All,
        &mut warnings,
    )?;
    let simulated = run.simulated();
    let files: Vec<Read> = run.traces.into_iter().map(Read::new).collect();
    bar.finish_and_clear();
    let analysed = traces::choose(&files)?;
    let read = &files[analysed];
    let diffusion = traces::diffusion(&read.of.file.trace);
    if let (Some(_), Some(frame)) = (&plan.bind.for_result, &diffusion.backend_frame) {
        return Err(PipelineError::DiffusersBackend {
            path: read.path(),
            frame: frame.clone(),
        }
        .into());
    }
    let binding = plan.bind.read(read.of.settings(), simulated)?;
    let analysis = Analysis::of(plan, read, config.as_ref(), &diffusion)?;
    let infos: Vec<TraceInfo> = files
        .iter()
        .enumerate()
        .map(|(index, read)| {
            let of = &read.of;
            info(&of.file, &of.derived, of.engine, index == analysed)
        })
        .collect();

    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs = files.iter().map(|read| input_of(&read.of.file)).collect();
    parts
        .inputs
        .extend(config.as_ref().map(|config| config.input.clone()));
    parts.simulated = simulated;
    if let Some(binding) = binding {
        parts.bind(binding);
    }
    let of = (read, &infos[analysed]);
    warnings.extend(caveats::warnings(
        &files,
        of,
        config.as_ref(),
        &diffusion,
        &analysis,
    ));
    parts.warnings = warnings;
    let data = data(plan, read, &analysis, infos);
    parts.summary = summary::summary(&data);
    parts.next_actions = summary::next_actions(plan, &data);
    let exit = if analysis.shown.is_some() {
        Exit::Ok
    } else {
        Exit::Undecided
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = crate::render::report(&document, output.top, plan.shows_flow);
    Ok(Report::new(&document, view, exit))
}

fn data(plan: &Plan, read: &Read, analysis: &Analysis<'_>, traces: Vec<TraceInfo>) -> ReportData {
    let (stream, shown) = (&analysis.stream, analysis.shown);
    let (trace, derived) = (&read.of.file.trace, &read.of.derived);
    ReportData {
        traces,
        detection: detection(analysis),
        steady_pass: analysis.steady_pass.map(|pass| pass as u64),
        shown_pass: shown.map(|pass| pass as u64),
        clusters: analysis.clusters.clone(),
        perfetto: ranges(analysis),
        comparison: plan
            .layer
            .zip(plan.compare_layer)
            .filter(|_| shown.is_some())
            .map(|(layer, other)| compare(stream, &analysis.layers, layer, other)),
        passes: analysis.passes.clone(),
        layers: shown.map(|_| layers::rows(&analysis.layers, analysis.zero_ns)),
        flow: analysis
            .flow_of
            .iter()
            .flat_map(|layer| flow(trace, derived, stream, *layer, &analysis.layers[*layer]))
            .collect(),
    }
}

fn detection(analysis: &Analysis<'_>) -> Detection {
    let found = &analysis.detection;
    let count = |count: Option<usize>| count.map(|count| count as u64);
    Detection {
        method: found.method.name().to_owned(),
        period: count(found.period),
        repeats: found.repeats.and_then(Finite::new),
        confidence: Finite::new(found.confidence).unwrap_or(Finite::from(0)),
        layers: count(analysis.whole),
        config_layers: count(found.config_layers),
        stream: analysis.stream.label.clone(),
        stream_kernels: analysis.stream.items.len() as u64,
        captured: analysis.stream.captured,
    }
}

/// The shown pass and the layers whose kernels are listed, as a trace viewer counts time.
fn ranges(analysis: &Analysis<'_>) -> Vec<PerfettoRange> {
    let range = |what: String, start_ns: i64, end_ns: i64| {
        Some(PerfettoRange {
            what,
            start_s: Finite::ratio(start_ns as f64, 1e9)?,
            end_s: Finite::ratio(end_ns as f64, 1e9)?,
        })
    };
    let pass = analysis.shown.and_then(|pass| {
        let row = &analysis.passes[pass];
        range(format!("pass {pass}"), row.start_ns?, row.end_ns?)
    });
    let layers = analysis.flow_of.iter().filter_map(|layer| {
        let of = &analysis.layers[*layer];
        let times = of.times.as_ref()?;
        let place = |ns: i64| ns.saturating_sub(analysis.zero_ns);
        range(
            format!("layer {layer} ({})", of.layer_type),
            place(times.start_ns),
            place(times.end_ns),
        )
    });
    pass.into_iter().chain(layers).collect()
}
