//! `summarize`: a records file becomes a result, by the same fold that a run uses.

use std::path::Path;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::serve_bench::result::{LoadInfo, ResultData, SCHEMA};
use contracts::serve_bench::run::ClientHealth;
use contracts::{Exit, Warning};
use serde_json::json;

use crate::cli::{Args, SummarizeArgs};
use crate::fold::{ClientSamples, FoldContext, aggregate, client_health, fold_run};
use crate::measure::rules;
use crate::records::RecordedRun;
use crate::{records, verdict, view};

pub(crate) fn summarize(args: &SummarizeArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let recorded = records::read(&args.records)?;
    let header = recorded.header;
    // A part of a load meets no rule of the whole.
    let none = Vec::new();
    let slo = if header.shard.is_some() {
        &none
    } else if args.slo.is_empty() {
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
    let load = one_load(&args.records, &recorded.runs)?.unwrap_or(header.load);
    let mut runs = Vec::new();
    for recorded_run in &recorded.runs {
        let ended = recorded_run.end.as_ref();
        let complete = ended.is_some_and(|end| end.complete);
        parts.complete &= complete;
        let client: ClientHealth = ended.map(|end| end.client.clone()).unwrap_or_else(|| {
            // The process died in this run; what it knew of itself died with it.
            client_health(&ClientSamples::default(), &recorded_run.records, &load)
        });
        let context = FoldContext {
            run: recorded_run.start.run,
            epoch_at: recorded_run.start.epoch_at,
            load: &load,
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
        plan: json!({"load": load, "slo": slo, "goodput": goodput}),
        load,
        shard: header.shard,
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

/// The load of all runs; `None` where the file leaves it to its header.
///
/// # Errors
/// Exit 3 for the points of a sweep: a mean over several loads is of none of them.
fn one_load(path: &Path, runs: &[RecordedRun]) -> Result<Option<LoadInfo>, Failure> {
    let mut loads = runs.iter().filter_map(|run| run.start.load.as_ref());
    let first = loads.next();
    if loads.any(|load| Some(load) != first) {
        return Err(Failure::new(
            Exit::BadInput,
            "records-two-loads",
            format!("{} holds runs of several load levels", path.display()),
        )
        .hint("the sweep at -o holds every point; one level alone is `serve-bench run --records`"));
    }
    Ok(first.cloned())
}

#[cfg(test)]
mod tests {
    use contracts::serve_bench::record::RunStart;

    use super::*;
    use crate::load::closed_loop_info;

    #[test]
    fn several_loads_make_no_result() {
        let run = |number, concurrency: Option<u32>| RecordedRun {
            start: RunStart {
                run: number,
                side: None,
                epoch_at: jiff::Timestamp::UNIX_EPOCH,
                load: concurrency.map(|concurrency| closed_loop_info(concurrency, 0)),
            },
            records: Vec::new(),
            end: None,
        };
        let path = Path::new("r.jsonl");
        let one = one_load(path, &[run(0, Some(2)), run(1, Some(2))]).unwrap();
        assert_eq!(one.unwrap().concurrency, Some(2));
        assert_eq!(one_load(path, &[run(0, None)]).unwrap(), None);
        let failure = one_load(path, &[run(0, Some(2)), run(1, Some(4))]).unwrap_err();
        assert_eq!(failure.document.code, "records-two-loads");
    }
}
