//! `merge`: the records of all parts become one result, by the same fold that a run uses.

use std::path::{Path, PathBuf};

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::serve_bench::record::{RunEnd, RunStart};
use contracts::serve_bench::result::{ResultData, SCHEMA};
use contracts::{Exit, Input, Warning};
use serde_json::json;

use crate::cli::{Args, MergeArgs};
use crate::fold::{FoldContext, aggregate, fold_run};
use crate::measure::rules;
use crate::merge::{Merged, Part};
use crate::records::{self, RecordsWriter};
use crate::{shard, verdict, view};

pub(crate) fn merge(args: &MergeArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let mut inputs = Vec::new();
    let mut all = Vec::new();
    for path in &args.parts {
        let (part, input) = read(path)?;
        inputs.push(input);
        all.push(part);
    }
    let told: Vec<serde_json::Value> = all.iter().map(told).collect();
    let late: Vec<Warning> = all
        .iter()
        .filter_map(|part| {
            let whose = format!("part {}: ", part.shard.name());
            shard::late(&part.shard, part.epoch_at, &whose)
        })
        .collect();
    let clocks: std::collections::BTreeSet<_> = all
        .iter()
        .map(|part| part.header.environment.fingerprint.clone())
        .collect();
    let urls: std::collections::BTreeSet<String> =
        all.iter().map(|part| part.header.target.url.clone()).collect();
    let merged = crate::merge::merge(all)?;

    let rules = rules(&merged.header.slo, &merged.header.goodput)?;
    let context = FoldContext {
        run: 0,
        epoch_at: merged.epoch_at,
        load: &merged.header.load,
        rules: &rules,
        complete: merged.complete,
    };
    let runs = vec![fold_run(&merged.records, merged.client.clone(), &context)];
    let header = &merged.header;
    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs = inputs;
    parts.complete = merged.complete;
    let simulated = header
        .contract
        .known(contracts::fields::contract_field::SIMULATED);
    parts.simulated = simulated.and_then(serde_json::Value::as_bool).unwrap_or(false);
    parts.summary = format!(
        "{} load generators together: {}",
        told.len(),
        verdict::headline(&runs)
    );
    if urls.len() > 1 {
        let urls: Vec<String> = urls.into_iter().collect();
        parts.warnings.push(Warning::new(
            "shards-of-several-addresses",
            format!(
                "the parts were sent to {}: this is a measurement of one server only where all of these lead to it",
                urls.join(", ")
            ),
        ));
    }
    parts.warnings.extend(late);
    if clocks.len() > 1 {
        parts.warnings.push(Warning::new(
            "shards-of-several-machines",
            "the parts ran on machines that are not alike: each began by its own clock, and what these are apart the rates of the whole are off by; keep them by NTP",
        ));
    }
    parts.warnings.extend(verdict::warnings(
        verdict::numbered(&runs),
        &header.workload.prompt_unit,
    ));
    parts.contract = header.contract.clone();
    parts.environment = header.environment.clone();
    parts.subject = header.subject.clone();
    if let Some(path) = &args.records {
        let writer = write(path, &merged)?;
        parts.artifacts.push(writer.artifact());
        parts.warnings.extend(
            writer
                .failure()
                .map(|failure| Warning::new("records-not-written", failure)),
        );
    }
    let exit = verdict::exit(&runs, parts.complete);
    let data = ResultData {
        target: header.target.clone(),
        workload: header.workload.clone(),
        aggregate: aggregate(&runs),
        plan: json!({"load": header.load, "slo": header.slo, "goodput": header.goodput, "parts": told}),
        load: header.load.clone(),
        shard: None,
        imported_from: None,
        runs,
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = view::result(&document, output.top);
    Ok(Report::new(&document, view, exit))
}

/// What the document says of a part.
fn told(part: &Part) -> serde_json::Value {
    json!({
        "shard": part.shard.name(), "url": part.header.target.url, "epoch_at": part.epoch_at,
        "late_ms": shard::late_ms(&part.shard, part.epoch_at), "requests": part.records.len(), "complete": part.complete,
    })
}

/// A part from its records, or from a result that names them.
fn read(path: &Path) -> Result<(Part, Input), Failure> {
    let bad = |code: &str, message: String| Failure::new(Exit::BadInput, code, message);
    let name = path.display();
    let mut recorded = match cli_kit::load_document::<ResultData>(path, SCHEMA) {
        Ok(loaded) => {
            let named = loaded
                .document
                .artifacts
                .iter()
                .find(|artifact| artifact.kind == records::KIND);
            let named = named.ok_or_else(|| {
                bad(
                    "merge-without-records",
                    format!("{name} names no records, and quantiles of parts cannot be added"),
                )
                .hint("measure each part with --records FILE")
            })?;
            let found = beside(path, &named.path);
            records::read_if(&found, |input| {
                if named.sha256.as_ref().is_none_or(|hash| *hash == input.sha256) {
                    return Ok(());
                }
                Err(Failure::new(
                    Exit::Drift,
                    "records-changed",
                    format!("{} is not what {name} was made of", found.display()),
                )
                .hint("give the records file that this result was written with"))
            })?
        }
        // It is records, or what reading records says of it.
        Err(_) => records::read(path)?,
    };
    let shard = recorded.header.shard.clone().ok_or_else(|| {
        bad(
            "merge-not-a-shard",
            format!("{name} is a whole measurement, not a part of one"),
        )
        .hint("give the records of `serve-bench run --shard I/N --start-at TIME --records FILE`")
    })?;
    if recorded.runs.len() != 1 {
        return Err(bad(
            "merge-several-runs",
            format!("{name} holds {} runs, and a part is one", recorded.runs.len()),
        )
        .hint("measure each part once"));
    }
    let run = recorded.runs.remove(0);
    let complete = !recorded.torn && run.end.as_ref().is_some_and(|end| end.complete);
    let part = Part {
        name: name.to_string(),
        header: recorded.header,
        shard,
        epoch_at: run.start.epoch_at,
        records: run.records,
        client: run.end.map(|end| end.client),
        complete,
    };
    Ok((part, recorded.input))
}

/// The records of a result that was moved together with them.
fn beside(result: &Path, named: &str) -> PathBuf {
    let named = Path::new(named);
    let own = result
        .parent()
        .zip(named.file_name())
        .map(|(folder, name)| folder.join(name));
    own.filter(|own| own.is_file())
        .unwrap_or_else(|| named.to_owned())
}

fn write(path: &Path, merged: &Merged) -> Result<RecordsWriter, Failure> {
    let mut writer = RecordsWriter::create(path, &merged.header)?;
    writer.run_start(RunStart {
        run: 0,
        side: None,
        epoch_at: merged.epoch_at,
        load: Some(merged.header.load.clone()),
    });
    merged.records.iter().for_each(|record| writer.request(record));
    writer.run_end(RunEnd {
        run: 0,
        complete: merged.complete,
        client: merged.client.clone(),
    });
    Ok(writer)
}
