//! `sweep`: several load levels, written after every point and resumed where it stopped.

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::serve_bench::record::{self, RecordHeader};
use contracts::serve_bench::result::LoadInfo;
use contracts::serve_bench::run::SloStatus;
use contracts::serve_bench::sweep::{MaxRate, SCHEMA, SweepData, SweepPoint};
use contracts::{Document, Exit, Field, FieldSet, Finite, Input, NextAction, Warning};
use serde_json::{Value, json};

use crate::cache::{self, Flushed};
use crate::cli::{Args, SweepArgs};
use crate::fold::SloRules;
use crate::identity::{self, Declared};
use crate::level::{Rate, level};
use crate::measure::{Name, Records, exit_with, list_records, measure, open_records, rules};
use crate::search::{Judged, RateSearch};
use crate::server::Server;
use crate::source::{Selected, select};
use crate::{verdict, view};

pub(crate) fn sweep(args: &SweepArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let declared = Declared::load(&args.contract)?;
    let slo = declared.slo(&args.contract);
    let rules = rules(&slo, &args.contract.goodput)?;
    if args.find_max_rate && !rules.has_slo() {
        return Err(Failure::new(
            Exit::Usage,
            "slo-missing",
            "--find-max-rate needs an SLO to search under",
        )
        .hint("for example --slo 'p99_ttft_ms<=2000'"));
    }
    let mut planned: Vec<Rate> = args
        .concurrency
        .iter()
        .map(|concurrency| Rate::Concurrency(*concurrency))
        .collect();
    planned.extend(args.request_rate.iter().map(|rate| Rate::PerSecond(*rate)));
    if planned.is_empty() && !args.find_max_rate {
        return Err(
            Failure::new(Exit::Usage, "no-levels", "a sweep needs load levels")
                .hint("give --concurrency 1,2,4,8 or --request-rate 1,2,4 or --find-max-rate"),
        );
    }
    if args.concurrency.contains(&0) {
        return Err(Failure::new(
            Exit::Usage,
            "bad-load",
            "a concurrency of 0 sends nothing",
        ));
    }
    let server = Server::connect(&args.server.url, &args.server.request)?;
    let hint = crate::source::hint(&args.workload)?;
    let warmup = args
        .shape
        .warmup
        .unwrap_or_else(|| hint.map_or(0, |hint| hint.warmup_requests));
    let selected = select(&args.workload, &server, warmup, None)?;
    crate::context::check(&selected.requests, &server)?;
    let mut parts = DocumentParts::new(SCHEMA);
    let subject = identity::subject(declared.subject.as_ref(), &server.probe, &mut parts.warnings);
    parts.warnings.extend(selected.warnings.clone());
    let mut sweep = Sweep {
        args,
        output,
        rules,
        contract: contract(&declared, &selected, &server),
        subject,
        inputs: [declared.inputs.clone(), selected.inputs.clone()].concat(),
        warnings: parts.warnings,
        data: SweepData {
            target: server.target(declared.model(selected.model.as_deref())),
            workload: selected.info.clone(),
            plan: plan(args, &slo),
            points: Vec::new(),
            remaining: 0,
            max_rate: None,
        },
        slo,
        warmup,
        records: None,
        server,
        selected,
        kept: Vec::new(),
    };
    sweep.resume()?;

    let complete = if args.find_max_rate {
        sweep.search()?
    } else {
        sweep.list(&planned)?
    };
    let exit = exit_with(sweep.records.as_ref(), sweep.exit(complete));
    let document = sweep.document(complete);
    Ok(Report::new(&document, view::sweep(&document, output.top), exit))
}

struct Sweep<'a> {
    args: &'a SweepArgs,
    output: &'a OutputArgs,
    rules: SloRules,
    contract: FieldSet,
    subject: FieldSet,
    inputs: Vec<Input>,
    warnings: Vec<Warning>,
    data: SweepData,
    slo: Vec<String>,
    /// Warm-up requests of every point.
    warmup: u64,
    /// Opened with the first point that is measured.
    records: Option<Records>,
    server: Server,
    selected: Selected,
    /// Points of the document at `-o`, to be taken instead of measured.
    kept: Vec<SweepPoint>,
}

impl Sweep<'_> {
    /// Takes the points of an unfinished document of the same plan, server and launch at `-o`.
    fn resume(&mut self) -> Result<(), Failure> {
        let Some(path) = self.output.output.as_deref().filter(|path| path.is_file()) else {
            return Ok(());
        };
        let Ok(loaded) = cli_kit::load_document::<SweepData>(path, SCHEMA) else {
            return Ok(());
        };
        let document = loaded.document;
        if document.complete
            || document.data.plan != self.data.plan
            || document.contract.fingerprint != self.contract.fingerprint
            || document.subject.fingerprint != self.subject.fingerprint
            || document.data.target != self.data.target
        {
            return Ok(());
        }
        let points = document.data.points.len();
        self.warnings.push(Warning::new(
            "resumed",
            format!(
                "{points} points of {} were measured by an earlier, interrupted sweep",
                path.display()
            ),
        ));
        self.kept = document.data.points;
        Ok(())
    }

    fn list(&mut self, planned: &[Rate]) -> Result<bool, Failure> {
        for (position, rate) in planned.iter().enumerate() {
            self.data.remaining = (planned.len() - position) as u64;
            if !self.point(*rate, &format!("{}/{}", position + 1, planned.len()))? {
                return Ok(false);
            }
            self.data.remaining -= 1;
            self.save(position + 1 < planned.len());
        }
        Ok(true)
    }

    fn search(&mut self) -> Result<bool, Failure> {
        let mut search = RateSearch::new(self.args.resolution, self.args.max_points);
        while let Some(rate) = search.next_rate() {
            if !self.point(Rate::PerSecond(rate), &format!("{rate:.2} req/s"))? {
                return Ok(false);
            }
            let judged = self
                .data
                .points
                .last()
                .map_or(Judged::Undecided, |point| judged(&point.run));
            search.judge(rate, judged);
            self.data.max_rate = Some(MaxRate {
                request_rate_rps: search.passing().and_then(Finite::new),
                failing_rate_rps: search.failing().and_then(Finite::new),
                decided: search.decided(),
            });
            self.save(true);
        }
        Ok(true)
    }

    /// Measures one level; false when it was interrupted.
    fn point(&mut self, rate: Rate, label: &str) -> Result<bool, Failure> {
        let mut selected = self.selected.clone();
        let timeout = self.args.server.request.timeout;
        let level = level(
            &self.server,
            &mut selected,
            rate,
            &self.args.shape,
            self.warmup,
            timeout,
        )?;
        if let Some(kept) = self.kept.iter().find(|point| point.load == level.info) {
            self.data.points.push(kept.clone());
            return Ok(true);
        }
        if cache::flush(&self.server)? == Flushed::No && self.data.points.len() == 1 {
            self.warnings.push(cache::warning(&self.server));
        }
        if self.records.is_none() {
            let header = self.records_header(&level.info);
            self.records = open_records(self.args.records.as_deref(), &header, !self.kept.is_empty())?;
        }
        let name = Name {
            run: u32::try_from(self.data.points.len()).unwrap_or(u32::MAX),
            side: None,
            label,
        };
        let measured = measure(&level, &self.rules, &name, self.records.as_ref(), self.output)?;
        if measured.complete {
            self.data.points.push(SweepPoint {
                load: level.info,
                run: measured.run,
            });
        }
        Ok(measured.complete)
    }

    /// The load is that of the first point; every run names its own.
    fn records_header(&self, load: &LoadInfo) -> RecordHeader {
        RecordHeader {
            schema: record::SCHEMA.to_owned(),
            tool: cli_kit::tool(&Args::TOOL),
            created_at: cli_kit::created_at(),
            contract: self.contract.clone(),
            environment: cli_kit::environment(),
            subject: self.subject.clone(),
            target: self.data.target.clone(),
            workload: self.data.workload.clone(),
            load: load.clone(),
            shard: None,
            slo: self.slo.clone(),
            goodput: self.args.contract.goodput.clone(),
        }
    }

    fn save(&self, more: bool) {
        let Some(path) = self
            .output
            .output
            .as_deref()
            .filter(|path| path.as_os_str() != "-" && more)
        else {
            return;
        };
        let mut json = serde_json::to_vec_pretty(&self.document(false)).expect("a document is JSON");
        json.push(b'\n');
        if let Err(error) = cli_kit::write_atomically(path, &json) {
            // The points stay in memory and are printed at the end.
            tracing::warn!("cannot write {} yet: {error}", path.display());
        }
    }

    fn document(&self, complete: bool) -> Document<SweepData> {
        let mut parts = DocumentParts::new(SCHEMA);
        parts.complete = complete;
        parts.simulated = self.server.probe.simulated;
        parts.contract = self.contract.clone();
        parts.subject = self.subject.clone();
        parts.environment = cli_kit::environment();
        parts.inputs = self.inputs.clone();
        let points = self
            .data
            .points
            .iter()
            .map(|point| (view::load_words(&point.load), &point.run));
        parts.warnings = self.warnings.clone();
        parts
            .warnings
            .extend(verdict::warnings(points, &self.data.workload.prompt_unit));
        parts.warnings.dedup();
        parts.summary = self.summary();
        list_records(self.records.as_ref(), &mut parts);
        if !complete {
            let command = crate::command_line();
            parts.next_actions.push(NextAction {
                why: "go on where it stopped".to_owned(),
                command,
            });
        }
        cli_kit::document(&Args::TOOL, parts, self.data.clone())
    }

    fn summary(&self) -> String {
        let points = self.data.points.len();
        match &self.data.max_rate {
            Some(MaxRate {
                request_rate_rps: Some(rate),
                decided,
                ..
            }) => format!(
                "{} req/s is the highest of {points} measured rates that meets the SLO{}",
                view::number(Some(*rate)),
                if *decided {
                    ""
                } else {
                    " (the limit above it is not found yet)"
                }
            ),
            Some(_) => format!("none of {points} measured rates meets the SLO"),
            None => {
                let best = self
                    .data
                    .points
                    .iter()
                    .filter(|point| point.run.valid)
                    .max_by(|left, right| tps(left).total_cmp(&tps(right)));
                best.map_or(format!("none of {points} points is valid"), |best| {
                    format!(
                        "{points} points; highest output {} tok/s at {}",
                        view::number(best.run.throughput.output_tps),
                        view::load_words(&best.load)
                    )
                })
            }
        }
    }

    fn exit(&self, complete: bool) -> Exit {
        if !complete {
            return Exit::Interrupted;
        }
        match &self.data.max_rate {
            Some(found) if !found.decided => Exit::Undecided,
            Some(_) => Exit::Ok,
            None if self.data.points.iter().any(|point| !point.run.valid) => Exit::Undecided,
            None => Exit::Ok,
        }
    }
}

fn tps(point: &SweepPoint) -> f64 {
    point.run.throughput.output_tps.map_or(0.0, Finite::get)
}

/// A point that is invalid or undecided tells the search nothing.
fn judged(run: &contracts::serve_bench::run::Run) -> Judged {
    let status = |status| {
        run.slo
            .as_ref()
            .is_some_and(|slo| slo.rules.iter().any(|rule| rule.status == status))
    };
    if status(SloStatus::Failed) || run.requests.succeeded == 0 {
        Judged::Failed
    } else if !run.valid || status(SloStatus::Undecided) {
        Judged::Undecided
    } else {
        Judged::Passed
    }
}

fn contract(declared: &Declared, selected: &Selected, server: &Server) -> FieldSet {
    let requests: Vec<_> = selected.requests.iter().collect();
    let load = crate::load::closed_loop_info(1, 0);
    let mut set = identity::contract(
        declared,
        selected.model.as_deref(),
        selected.tokenizer.as_deref(),
        &selected.info.request_stream_sha256,
        &load,
        identity::sampling(&selected.info.endpoint, &requests),
        Field::observed(server.probe.simulated),
    );
    // The load is what a sweep varies; it stands with each point.
    set.fields.remove(contracts::fields::contract_field::LOAD);
    FieldSet::new(set.fields)
}

fn plan(args: &SweepArgs, slo: &[String]) -> Value {
    json!({
        "concurrency": args.concurrency,
        "request_rate": args.request_rate,
        "find_max_rate": args.find_max_rate,
        "resolution": args.resolution,
        "max_points": args.max_points,
        "duration_s": args.shape.duration,
        "warmup": args.shape.warmup,
        "max_concurrency": args.shape.max_concurrency,
        "slo": slo,
        "goodput": args.contract.goodput,
        "workload": args.workload.workload,
        "scenario": args.workload.scenario,
        "num_prompts": args.workload.make.num_prompts,
    })
}
