//! Plan to document: read, choose, cut, measure, put together.

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::pipeline_analysis::report::{
    Detection as DetectionRow, Pass, PerfettoRange, ReportData, SCHEMA,
};
use contracts::{Exit, Finite, Warning};
use torch_trace::{Want, read_all, trace_paths};
use trace_layers::{Detection, DetectionWarning, Expected, Method, detect, detect_at};

use crate::cli::Args;
use crate::clusters::clusters;
use crate::compare::compare;
use crate::config::{self, Config};
use crate::error::PipelineError;
use crate::flow::flow;
use crate::layers::{self, Measured, measure};
use crate::passes::{Trip, passes};
use crate::plan::{PassChoice, Plan};
use crate::spans::{Span, layers_of_most, spans};
use crate::stream::Stream;
use crate::summary;
use crate::times::Device;
use crate::traces::{self, Read, diffusion};

pub(crate) fn run(plan: &Plan, output: &OutputArgs) -> Result<Report, Failure> {
    let config = plan.config.as_deref().map(config::load).transpose()?;
    let bar = cli_kit::spinner("reading traces", output);
    let files: Vec<Read> = trace_paths(&plan.traces)
        .and_then(|paths| read_all(&paths, Want::ALL))
        .map_err(PipelineError::from)?
        .into_iter()
        .map(traces::derive)
        .collect();
    bar.finish_and_clear();
    let analysed = traces::choose(&files)?;
    let read = &files[analysed];
    let trace = &read.file.trace;
    let diffusion = diffusion(trace);
    if let (Some(_), Some(frame)) = (&plan.bind.for_result, &diffusion.backend_frame) {
        return Err(PipelineError::DiffusersBackend {
            path: read.path(),
            frame: frame.clone(),
        }
        .into());
    }
    let binding = plan.bind.read(read.engine)?;

    let stream = Stream::of(trace, &read.derived, read.launches.as_ref())
        .expect("a trace with kernels or named launches was chosen");
    let detection = detected(plan, &stream, config.as_ref())?;
    let spans = spans(&detection, &read.derived, &stream);
    let whole = layers_of_most(&spans);
    let trip = Trip {
        derived: &read.derived,
        stream: &stream,
        device: &Device::of(trace, stream.device),
        zero_ns: trace.first_ns.unwrap_or(0),
        whole,
        denoises: diffusion.denoises,
        drafts: drafts(read.engine, config.as_ref()),
    };
    let (rows, steady_pass) = passes(&trip, &spans);
    let shown = shown_pass(plan, &spans, steady_pass)?;
    let measured = shown.map_or_else(Vec::new, |pass| {
        measure(&read.derived, &stream, &spans[pass].layers)
    });
    for layer in plan.layer.iter().chain(&plan.compare_layer) {
        if let (Some(pass), true) = (shown, *layer >= measured.len()) {
            return Err(PipelineError::NoSuchLayer {
                layer: *layer,
                pass,
                layers: measured.len(),
            }
            .into());
        }
    }
    let clusters = clusters(&measured);
    let flow_of: Vec<usize> = match plan.layer.filter(|_| shown.is_some()) {
        Some(layer) => vec![layer],
        None => clusters
            .iter()
            .map(|cluster| cluster.representative as usize)
            .collect(),
    };

    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs = files.iter().map(traces::input).collect();
    parts
        .inputs
        .extend(config.as_ref().map(|config| config.input.clone()));
    parts.simulated = files.iter().any(|read| read.engine == Some("engine-sim"));
    if let Some(binding) = binding {
        parts.contract = binding.contract;
        parts.environment = binding.environment;
        parts.subject = binding.subject;
        parts.simulated |= binding.simulated;
        parts.inputs.push(binding.input);
    }
    let infos: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(index, read)| traces::info(read, index == analysed))
        .collect();
    parts.warnings = traces::warnings(read, &infos[analysed]);
    if let Some(frame) = &diffusion.backend_frame {
        parts.warnings.push(Warning::new(
            "trace-diffusers-backend",
            format!(
                "{frame} ran: a trace of the diffusers backend is no evidence about the engine's own pipeline"
            ),
        ));
    }
    if files.len() > 1 {
        let text = format!(
            "of {} traces one is analysed, {}: give another one alone to see it",
            files.len(),
            read.path()
        );
        parts.warnings.push(Warning::new("trace-not-analysed", text));
    }
    parts.warnings.extend(
        config
            .iter()
            .flat_map(|config| config.warnings().collect::<Vec<_>>()),
    );
    // Layers that a step or a graph joined may be as many as the configuration names, after all.
    let joined = whole.is_some() && whole == detection.config_layers;
    let found = detection
        .warnings
        .iter()
        .filter(|warning| !(joined && matches!(warning, DetectionWarning::LayersDisagree { .. })));
    parts
        .warnings
        .extend(found.map(|warning| Warning::new(warning.code(), warning.to_string())));
    if let Some(pass) = shown.filter(|_| detection.method != Method::Slots) {
        parts
            .warnings
            .extend(config::types_disagree(&stream, &spans[pass].layers));
    }
    if let Some(pass) = shown.filter(|_| !stream.captured)
        && !spans[pass]
            .layers
            .iter()
            .any(|layer| layers::mixes(&stream, layer))
    {
        parts.warnings.push(Warning::new(
            "layers-without-attention",
            "no layer has a kernel of attention or of a state space: what repeats may be training steps, or parts of another kind of model",
        ));
    }
    if shown.is_none() {
        parts.warnings.push(Warning::new(
            "layers-not-found",
            format!(
                "nothing that repeats was found among the {} kernels of stream {}: name the kernel that starts a layer with --anchor",
                stream.items.len(),
                stream.label
            ),
        ));
    }

    let data = ReportData {
        traces: infos,
        detection: detection_row(&detection, &stream, whole),
        steady_pass: steady_pass.map(|pass| pass as u64),
        shown_pass: shown.map(|pass| pass as u64),
        perfetto: ranges(&rows, &measured, &trip, shown, &flow_of),
        comparison: plan
            .layer
            .zip(plan.compare_layer)
            .filter(|_| shown.is_some())
            .map(|(layer, other)| compare(&stream, &measured, layer, other)),
        layers: shown.map(|_| layers::rows(&measured, trip.zero_ns)),
        flow: flow_of
            .iter()
            .flat_map(|layer| flow(trace, &read.derived, &stream, *layer, &measured[*layer]))
            .collect(),
        passes: rows,
        clusters,
    };
    parts.summary = summary::summary(&data);
    parts.next_actions = summary::next_actions(plan, &data);
    let exit = if shown.is_some() {
        Exit::Ok
    } else {
        Exit::Undecided
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = crate::render::report(&document, output.top, plan.shows_flow);
    Ok(Report::new(&document, view, exit))
}

/// Whether the model may have layers of a draft: the configuration says so, or, without one, the engine is of the kind.
fn drafts(engine: Option<&str>, config: Option<&Config>) -> bool {
    match config.and_then(|config| config.model.mtp_layers) {
        Some(layers) => layers > 0,
        None => !matches!(engine, None | Some("transformers")),
    }
}

fn detected(plan: &Plan, stream: &Stream<'_>, config: Option<&Config>) -> Result<Detection, PipelineError> {
    let expected = config.map_or_else(Expected::default, Config::expected);
    let kernels = stream.kernels();
    let Some(anchor) = &plan.anchor else {
        return Ok(detect(&kernels, &expected));
    };
    let starts: Vec<usize> = stream
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| anchor.is_match(item.name))
        .map(|(at, _)| at)
        .collect();
    if starts.is_empty() {
        return Err(PipelineError::AnchorMatchesNothing {
            pattern: anchor.as_str().to_owned(),
            kernels: kernels.len(),
            stream: stream.label.clone(),
        });
    }
    Ok(detect_at(&kernels, &starts, &expected))
}

/// The pass whose layers are shown; `None` when no layers were found.
fn shown_pass(plan: &Plan, spans: &[Span], steady: Option<usize>) -> Result<Option<usize>, PipelineError> {
    let first = spans.iter().position(|span| !span.layers.is_empty());
    match plan.pass {
        PassChoice::Steady => Ok(steady.or(first)),
        PassChoice::Only(pass) if pass >= spans.len() => Err(PipelineError::NoSuchPass {
            pass,
            passes: spans.len(),
        }),
        PassChoice::Only(pass) => Ok(first.map(|_| pass)),
    }
}

fn detection_row(detection: &Detection, stream: &Stream<'_>, whole: Option<usize>) -> DetectionRow {
    DetectionRow {
        method: detection.method.name().to_owned(),
        period: detection.period.map(|period| period as u64),
        repeats: detection.repeats.and_then(Finite::new),
        confidence: Finite::new(detection.confidence).unwrap_or(Finite::from(0)),
        layers: whole.map(|layers| layers as u64),
        config_layers: detection.config_layers.map(|layers| layers as u64),
        stream: stream.label.clone(),
        stream_kernels: stream.items.len() as u64,
        captured: stream.captured,
    }
}

/// The shown pass and the layers whose kernels are listed, as a trace viewer counts time.
fn ranges(
    rows: &[Pass],
    measured: &[Measured],
    trip: &Trip<'_>,
    shown: Option<usize>,
    flow_of: &[usize],
) -> Vec<PerfettoRange> {
    let range = |what: String, start_ns: i64, end_ns: i64| {
        Some(PerfettoRange {
            what,
            start_s: Finite::ratio(start_ns as f64, 1e9)?,
            end_s: Finite::ratio(end_ns as f64, 1e9)?,
        })
    };
    let pass = shown.and_then(|pass| {
        let row = &rows[pass];
        range(format!("pass {pass}"), row.start_ns?, row.end_ns?)
    });
    let layers = flow_of.iter().filter_map(|layer| {
        let of = &measured[*layer];
        let times = of.times.as_ref()?;
        let place = |ns: i64| ns.saturating_sub(trip.zero_ns);
        range(
            format!("layer {layer} ({})", of.layer_type),
            place(times.start_ns),
            place(times.end_ns),
        )
    });
    pass.into_iter().chain(layers).collect()
}
