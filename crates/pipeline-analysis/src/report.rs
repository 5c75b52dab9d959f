//! Plan to document: read, choose, cut, put together.

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::pipeline_analysis::report::{
    Detection, PerfettoRange, RankRow, ReportData, SCHEMA, TraceInfo,
};
use contracts::{Exit, Finite};
use torch_trace::{StageChoice, Want};
use trace_document::{Run, defect_warnings, info, input_of};

use crate::analysis::Analysis;
use crate::cli::Args;
use crate::compare::compare;
use crate::cut::Cut;
use crate::flow::flow;
use crate::passes::outside;
use crate::plan::Plan;
use crate::traces::Read;
use crate::{caveats, config, diffusers, layers, next, ranks, summary};

pub(crate) fn run(plan: &Plan, output: &OutputArgs) -> Result<Report, Failure> {
    let config = plan.config.as_deref().map(config::load).transpose()?;
    let bar = cli_kit::spinner("reading traces", output);
    let mut warnings = Vec::new();
    let (choice, want) = (StageChoice::Auto, Want::ALL);
    let run = Run::read(&plan.traces, want, choice, plan.rank, &mut warnings)?;
    let simulated = run.simulated();
    let files: Vec<Read> = run.traces.into_iter().map(Read::new).collect();
    let log = plan.log.as_deref().map(diffusers::read).transpose()?;
    let cuts: Vec<Cut<'_>> = ranks::one_of_each(&files)?
        .into_iter()
        .map(|index| Cut::of(plan, &files[index], config.as_ref()))
        .collect::<Result<_, _>>()?;
    bar.finish_and_clear();
    let shown = ranks::slowest(&cuts);
    let read = cuts[shown].read;
    let backend = diffusers::shown(&cuts, log.as_ref());
    if let (Some(_), Some(backend)) = (&plan.bind.for_result, &backend) {
        return Err(backend.error().into());
    }
    let binding = plan.bind.read(read.of.settings(), simulated)?;
    let analysis = Analysis::of(plan, &cuts[shown])?;
    let infos = files.iter().map(|one| {
        let of = &one.of;
        info(&of.file, &of.derived, of.engine, std::ptr::eq(one, read))
    });
    let infos: Vec<TraceInfo> = infos.collect();

    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs = files.iter().map(|read| input_of(&read.of.file)).collect();
    let config_input = config.as_ref().map(|config| config.input.clone());
    parts
        .inputs
        .extend(config_input.into_iter().chain(log.map(|log| log.input)));
    parts.simulated = simulated;
    if let Some(binding) = binding {
        parts.bind(binding);
    }
    for (one, info) in files.iter().zip(&infos) {
        if cuts.iter().any(|cut| std::ptr::eq(cut.read, one)) {
            warnings.extend(defect_warnings(&one.of.file).chain(info.incomplete()));
        }
    }
    warnings.extend(backend.map(|backend| backend.warning()));
    let rows = ranks::rows(&cuts, shown);
    warnings.extend(ranks::warnings(&files, &rows));
    warnings.extend(caveats::warnings(config.as_ref(), &analysis));
    parts.warnings = warnings;
    let data = data(plan, &analysis, infos, rows);
    parts.summary = summary::summary(&data);
    parts.next_actions = next::next_actions(plan, &data);
    let exit = if analysis.shown.is_some() {
        Exit::Ok
    } else {
        Exit::Undecided
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = crate::render::report(&document, output.top, plan.shows_flow);
    Ok(Report::new(&document, view, exit))
}

fn data(plan: &Plan, analysis: &Analysis<'_, '_>, traces: Vec<TraceInfo>, ranks: Vec<RankRow>) -> ReportData {
    let (cut, shown) = (analysis.cut, analysis.shown);
    let of = &cut.read.of;
    let ends = of.derived.work.iter().map(|work| work.end_ns);
    let end_ns = ends.max().unwrap_or(0).saturating_sub(cut.zero_ns);
    ReportData {
        traces,
        ranks,
        detection: detection(analysis),
        steady_pass: cut.steady_pass.map(|pass| pass as u64),
        shown_pass: shown.map(|pass| pass as u64),
        clusters: analysis.clusters.clone(),
        perfetto: ranges(analysis),
        comparison: plan
            .layer
            .zip(plan.compare_layer)
            .filter(|_| shown.is_some())
            .map(|(layer, other)| compare(&cut.stream, &analysis.layers, layer, other)),
        outside: outside(&cut.passes, end_ns),
        passes: cut.passes.clone(),
        layers: shown.map(|_| layers::rows(&analysis.layers, cut.zero_ns, shown == Some(0))),
        flow: analysis
            .flow_of
            .iter()
            .flat_map(|layer| {
                flow(
                    &of.file.trace,
                    &of.derived,
                    &cut.stream,
                    *layer,
                    &analysis.layers[*layer],
                )
            })
            .collect(),
    }
}

fn detection(analysis: &Analysis<'_, '_>) -> Detection {
    let found = &analysis.cut.detection;
    let count = |count: Option<usize>| count.map(|count| count as u64);
    Detection {
        method: found.method.name().to_owned(),
        period: count(found.period),
        repeats: found.repeats.and_then(Finite::new),
        confidence: Finite::new(found.confidence).unwrap_or(Finite::from(0)),
        layers: count(analysis.cut.whole),
        config_layers: count(found.config_layers),
        stream: analysis.cut.stream.label.clone(),
        stream_kernels: analysis.cut.stream.items.len() as u64,
        captured: analysis.cut.stream.captured,
    }
}

/// The shown pass and the layers whose kernels are listed, as a trace viewer counts time.
fn ranges(analysis: &Analysis<'_, '_>) -> Vec<PerfettoRange> {
    let range = |what: String, start_ns: i64, end_ns: i64| {
        Some(PerfettoRange {
            what,
            start_s: Finite::ratio(start_ns as f64, 1e9)?,
            end_s: Finite::ratio(end_ns as f64, 1e9)?,
        })
    };
    let pass = analysis.shown.and_then(|pass| {
        let row = &analysis.cut.passes[pass];
        range(format!("pass {pass}"), row.start_ns?, row.end_ns?)
    });
    let layers = analysis.flow_of.iter().filter_map(|layer| {
        let of = &analysis.layers[*layer];
        let times = of.times.as_ref()?;
        let place = |ns: i64| ns.saturating_sub(analysis.cut.zero_ns);
        range(
            format!("layer {layer} ({})", of.layer_type),
            place(times.start_ns),
            place(times.end_ns),
        )
    });
    pass.into_iter().chain(layers).collect()
}
