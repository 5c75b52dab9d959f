//! `summarize`: a records file becomes a result, by the same fold that a run uses.

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::Warning;
use contracts::serve_bench::result::{ResultData, SCHEMA};
use contracts::serve_bench::run::ClientHealth;
use serde_json::json;

use crate::cli::{Args, SummarizeArgs};
use crate::fold::{ClientSamples, FoldContext, aggregate, client_health, fold_run};
use crate::measure::rules;
use crate::{records, verdict, view};

pub(crate) fn summarize(args: &SummarizeArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let recorded = records::read(&args.records)?;
    let header = recorded.header;
    let slo = if args.slo.is_empty() {
        &header.slo
    } else {
        &args.slo
    };
    let goodput = if args.goodput.is_empty() {
        &header.goodput
    } else {
        &args.goodput
    };
    let rules = rules(slo, goodput)?;

    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs.push(recorded.input);
    if recorded.torn {
        parts.complete = false;
        parts.warnings.push(Warning::new(
            "records-torn",
            "the last line was cut; it is not counted",
        ));
    }
    let mut runs = Vec::new();
    for recorded_run in &recorded.runs {
        let ended = recorded_run.end.as_ref();
        let complete = ended.is_some_and(|end| end.complete);
        parts.complete &= complete;
        let client: ClientHealth = ended.map(|end| end.client.clone()).unwrap_or_else(|| {
            // The process died in this run; what it knew of itself died with it.
            client_health(&ClientSamples::default(), &recorded_run.records, &header.load)
        });
        let context = FoldContext {
            run: recorded_run.start.run,
            epoch_at: recorded_run.start.epoch_at,
            load: &header.load,
            rules: &rules,
            complete,
        };
        runs.push(fold_run(&recorded_run.records, client, &context));
    }
    let simulated = header
        .contract
        .known(contracts::fields::contract_field::SIMULATED);
    parts.simulated = simulated.and_then(serde_json::Value::as_bool).unwrap_or(false);
    parts.summary = verdict::headline(&runs);
    parts.warnings.extend(verdict::warnings(
        verdict::numbered(&runs),
        &header.workload.prompt_unit,
    ));
    parts.contract = header.contract;
    parts.environment = header.environment;
    parts.subject = header.subject;
    let exit = verdict::exit(&runs, parts.complete);
    let data = ResultData {
        target: header.target,
        workload: header.workload,
        aggregate: aggregate(&runs),
        plan: json!({"load": header.load, "slo": slo, "goodput": goodput}),
        load: header.load,
        imported_from: None,
        runs,
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let mut view = view::result(&document, output.top);
    if let Some(peer) = args.compat {
        let records: Vec<_> = recorded.runs.into_iter().flat_map(|run| run.records).collect();
        view = view.table(crate::compat::table(&records, peer));
    }
    Ok(Report::new(&document, view, exit))
}
