//! Files to document: each trace hashed and looked into, and the command that reads them.

use std::path::Path;

use cli_kit::{Align, Binding, Cli as _, DocumentParts, Failure, Report, Table, View};
use contracts::fields::contract_field::LOAD;
use contracts::profile_tables::capture::{CaptureData, CapturedTrace, Probe, ProbeStage, Refusal, SCHEMA};
use contracts::{Artifact, Document, Exit, NextAction, Warning};
use torch_trace::{StepKind, TraceFile, Want, read_all, steps};
use trace_document::RunError;

use super::Captured;
use super::plan::CapturePlan;
use crate::cli::Args;
use crate::error::TablesError;

pub(super) fn report(
    plan: &CapturePlan,
    captured: Captured,
    binding: Option<Binding>,
) -> Result<Report, Failure> {
    let files = match read_all(&captured.files, Want::DEVICE) {
        // They were still being written.
        Err(_) if captured.interrupted => Vec::new(),
        read => read.map_err(|error| TablesError::from(RunError::from(error)))?,
    };
    let traces: Vec<CapturedTrace> = files.iter().map(|file| of_file(file, plan.stage)).collect();
    let mut parts = DocumentParts::new(SCHEMA);
    parts.simulated = captured.server.simulated;
    let concurrency = binding.as_ref().and_then(|binding| {
        let load = binding.contract.known(LOAD)?;
        load.get("concurrency")?.as_u64()
    });
    if let Some(binding) = binding {
        parts.bind(binding);
    }
    parts.artifacts = traces
        .iter()
        .map(|trace| Artifact {
            kind: "torch_trace".to_owned(),
            path: trace.path.clone(),
            sha256: Some(trace.sha256.clone()),
            bytes: trace.bytes,
        })
        .collect();
    parts.complete = !captured.interrupted;
    parts.warnings = warnings(plan, &captured, &traces);
    parts
        .warnings
        .extend(smaller_batch(plan.stage, concurrency, &traces));
    parts.next_actions = next(plan, &captured, &traces);
    parts.summary = summary(plan, &captured, &traces);
    let exit = if captured.interrupted {
        Exit::Interrupted
    } else if captured.refused.is_some() || traces.iter().all(|trace| trace.kernels == 0) {
        Exit::Undecided
    } else {
        Exit::Ok
    };
    let data = CaptureData {
        url: captured.server.url,
        role: captured.role,
        front_url: captured.front_url,
        engine: captured.server.engine,
        model: captured.model,
        stage: plan.stage,
        probe: Probe {
            requests: plan.requests,
            input_tokens: plan.input_tokens,
            output_tokens: plan.output_tokens,
            served_input_tokens: captured.probed.and_then(|probed| probed.served_input_tokens),
            derived_from: plan.derived_from.clone(),
        },
        steps_asked: captured.steps_asked,
        load: captured.load,
        refused: captured.refused,
        sent: captured.sent,
        folder: captured.folder.display().to_string(),
        traces,
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = view(&document);
    Ok(Report::new(&document, view, exit))
}

fn of_file(file: &TraceFile, stage: ProbeStage) -> CapturedTrace {
    let trace = &file.trace;
    let all = steps(trace);
    let wanted = match stage {
        ProbeStage::Prefill => StepKind::Prefill,
        ProbeStage::Decode => StepKind::Decode,
    };
    let of_stage = || all.iter().filter(|step| step.text.kind == wanted && !step.on_gpu);
    CapturedTrace {
        path: file.path.display().to_string(),
        sha256: file.sha256.clone(),
        bytes: file.file_bytes,
        rank: file.rank,
        kernels: trace.kernel_count(),
        steps: (!all.is_empty()).then(|| of_stage().count() as u64),
        largest_batch: of_stage().filter_map(|step| step.text.batch).max(),
    }
}

fn stage_name(stage: ProbeStage) -> &'static str {
    match stage {
        ProbeStage::Prefill => "prefill",
        ProbeStage::Decode => "decode",
    }
}

fn warnings(plan: &CapturePlan, captured: &Captured, traces: &[CapturedTrace]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |code: &str, message: String| warnings.push(Warning::new(code, message));
    if captured.load.source.is_none() {
        warn(
            "capture-load-unknown",
            "the server does not say whether it serves anybody else: start SGLang with --enable-metrics"
                .to_owned(),
        );
    }
    if let Some(other) = &plan.other_lengths {
        warn(
            "capture-other-length",
            format!("the probe is not of the scenario's length: {other}"),
        );
    }
    let Some(probed) = &captured.probed else {
        return warnings;
    };
    if let Some(served) = probed.served_input_tokens
        && served != plan.input_tokens
    {
        warn(
            "capture-prompt-length",
            format!(
                "the server counts {served} prompt tokens, {} were sent",
                plan.input_tokens
            ),
        );
    }
    if traces.len() < captured.ranks && !captured.interrupted {
        warn(
            "capture-ranks-missing",
            format!(
                "{} of {} ranks wrote a trace in time",
                traces.len(),
                captured.ranks
            ),
        );
    }
    let stage = stage_name(plan.stage);
    for trace in traces {
        if trace.kernels == 0 {
            warn("capture-no-kernels", format!("{} holds no kernels", trace.path));
        } else if trace.steps == Some(0) {
            warn(
                "capture-no-such-stage",
                format!("{} holds no {stage} step", trace.path),
            );
        }
    }
    warnings
}

/// A probe of one request shows other kernels than a benchmark of many at once.
fn smaller_batch(stage: ProbeStage, concurrency: Option<u64>, traces: &[CapturedTrace]) -> Option<Warning> {
    let largest = traces.iter().filter_map(|trace| trace.largest_batch).max()?;
    let asked = concurrency.filter(|asked| *asked > largest && stage == ProbeStage::Decode)?;
    Some(Warning::new(
        "capture-smaller-batch",
        format!(
            "the largest {} step has {largest} request(s), the benchmark has {asked} at once: kernels and their shares may be others",
            stage_name(stage)
        ),
    ))
}

fn next(plan: &CapturePlan, captured: &Captured, traces: &[CapturedTrace]) -> Vec<NextAction> {
    let mut command = vec!["profile-tables".to_owned()];
    let why = if traces.is_empty() {
        command.push("capture".to_owned());
        command.extend(plan.urls.iter().flat_map(|url| ["--url".to_owned(), url.clone()]));
        command.extend(["--stage", stage_name(plan.stage)].map(str::to_owned));
        for (flag, length) in [
            ("--input-len", plan.derived_from.input_len),
            ("--output-len", plan.derived_from.output_len),
        ] {
            if let Some(length) = length {
                command.extend([flag.to_owned(), length.to_string()]);
            }
        }
        for (flag, value) in [
            ("--steps", plan.steps_flag.map(|steps| steps.to_string())),
            ("--output-dir", Some(captured.folder.display().to_string())),
            ("--model", plan.model.clone()),
            ("--api-key-env", plan.api_key_env.clone()),
            ("--wait-s", Some(plan.wait.as_secs().to_string())),
        ] {
            if let Some(value) = value {
                command.extend([flag.to_owned(), value]);
            }
        }
        "capture again when the server is idle"
    } else {
        command.extend(traces.iter().map(|trace| trace.path.clone()));
        command.extend(["--stage".to_owned(), stage_name(plan.stage).to_owned()]);
        "see where the time goes"
    };
    if let Some(result) = &plan.bind.for_result {
        command.extend(["--for".to_owned(), result.display().to_string()]);
        if let Some(side) = &plan.bind.side {
            command.extend(["--side".to_owned(), side.clone()]);
        }
    }
    vec![NextAction {
        why: why.to_owned(),
        command,
    }]
}

fn summary(plan: &CapturePlan, captured: &Captured, traces: &[CapturedTrace]) -> String {
    let engine = captured.server.engine.kind.name();
    let stage = stage_name(plan.stage);
    if captured.refused == Some(Refusal::ServerBusy) {
        let count = |count: Option<u64>| count.unwrap_or(0);
        return format!(
            "Nothing recorded: {engine} has {} running and {} waiting requests, and a profiler would slow down what is being measured.",
            count(captured.load.running),
            count(captured.load.waiting),
        );
    }
    if captured.interrupted {
        return "Interrupted; the profiler was stopped.".to_owned();
    }
    let kernels: u64 = traces.iter().map(|trace| trace.kernels).sum();
    let steps = traces
        .iter()
        .find_map(|trace| trace.steps)
        .map_or("an unknown number of".to_owned(), |steps| steps.to_string());
    format!(
        "{} trace(s) of {engine}: {steps} {stage} steps a rank, {kernels} kernels in all; {} request(s) of {} prompt and {} output tokens.",
        traces.len(),
        plan.requests,
        plan.input_tokens,
        plan.output_tokens
    )
}

fn view(document: &Document<CaptureData>) -> View {
    let mut table = Table::new(&[
        ("trace", Align::Left),
        ("rank", Align::Right),
        ("steps", Align::Right),
        ("kernels", Align::Right),
        ("bytes", Align::Right),
    ]);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    for trace in &document.data.traces {
        let name = Path::new(&trace.path).file_name().unwrap_or_default();
        table.row(vec![
            name.to_string_lossy().into_owned(),
            or_dash(trace.rank.map(|rank| rank.to_string())),
            or_dash(trace.steps.map(|steps| steps.to_string())),
            trace.kernels.to_string(),
            trace.bytes.to_string(),
        ]);
    }
    View::new()
        .heading("Profile capture")
        .head(document)
        .text(format!("Folder: {}", document.data.folder))
        .table(table)
        .next(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_below_the_benchmarks_is_said() {
        let traces = [CapturedTrace {
            path: "a.json".to_owned(),
            sha256: String::new(),
            bytes: 1,
            rank: None,
            kernels: 1,
            steps: Some(3),
            largest_batch: Some(1),
        }];
        let warning = |stage, concurrency| smaller_batch(stage, concurrency, &traces);
        let found = warning(ProbeStage::Decode, Some(32)).expect("a warning");
        assert_eq!(found.code, "capture-smaller-batch");
        assert!(
            found.message.contains("1 request(s), the benchmark has 32"),
            "{found:?}"
        );
        assert_eq!(warning(ProbeStage::Decode, Some(1)), None);
        assert_eq!(warning(ProbeStage::Decode, None), None);
        // Prompts are recorded one by one, whatever the load.
        assert_eq!(warning(ProbeStage::Prefill, Some(32)), None);
    }
}
