//! `compare`: two sides, interleaved A B B A, on one workload; every block is one pair.

mod pair;

use std::path::Path;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::serve_bench::compare::{Block, CompareData, Order, SCHEMA, Side as SideInfo};
use contracts::serve_bench::record::{self, RecordHeader, RunSide};
use contracts::serve_bench::result::{LoadInfo, WorkloadInfo};
use contracts::{Exit, NextAction, Warning};
use serde_json::{Value, json};

use crate::cache::{self, Flushed};
use crate::cli::{Args, CompareArgs};
use crate::fold::SloRules;
use crate::identity::{self, Declared};
use crate::level::{choose, level, on_server};
use crate::load::Level;
use crate::measure::{Measured, Name, Records, exit_with, list_records, measure, open_records, rules};
use crate::server::Server;
use crate::side::{Alive, Origin, Side};
use crate::{verdict, view};

const DEFAULT_CONCURRENCY: u32 = 8;

pub(crate) fn compare(args: &CompareArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let declared = Declared::load(&args.contract)?;
    let slo = declared.slo(&args.contract);
    let rules = rules(&slo, &args.contract.goodput)?;
    let b_declared = Declared::from_paths(None, args.b_subject.as_deref())?;
    let (a, b) = Side::both(args, &declared, &b_declared)?;
    let mut bench = Bench {
        args,
        output,
        declared,
        rules,
        warnings: Vec::new(),
        flushed: true,
    };

    // Whoever answers first says what the workload is sized and counted with.
    let mut standing = Standing::new(&a, &b)?;
    let first = standing.up(&a)?;
    let (mut selected, rate, warmup) = choose(
        &args.load,
        &args.workload,
        &first.server,
        DEFAULT_CONCURRENCY,
        None,
    )?;
    bench.warnings.extend(selected.warnings.clone());
    let level_a = level(
        &first.server,
        &mut selected,
        rate,
        &args.load.shape,
        warmup,
        args.request.timeout,
    )?;
    crate::context::check(&selected.requests, &first.server)?;
    selected.info.num_prompts = selected.requests.len() as u64 - warmup;
    let load = level_a.info.clone();
    let side_a = a.info(
        &first.server,
        &bench.declared,
        &selected,
        &load,
        &mut bench.warnings,
    );
    let simulated_a = first.server.probe.simulated;
    let served_a = identity::served_model(&bench.declared, &first.server.served_model, &first.server.probe);
    bench.warnings.extend(served_a);
    first.stop()?;
    let second = standing.up(&b)?;
    crate::context::check(&selected.requests, &second.server)?;
    let side_b = b.info(
        &second.server,
        &bench.declared,
        &selected,
        &load,
        &mut bench.warnings,
    );
    let simulated_b = second.server.probe.simulated;
    let served_b = identity::served_model(&bench.declared, &second.server.served_model, &second.server.probe);
    bench.warnings.extend(served_b);
    second.stop()?;
    comparable(&side_a, &side_b)?;

    let mut state = Progress {
        data: CompareData {
            a: side_a,
            b: side_b,
            workload: selected.info.clone(),
            load: load.clone(),
            plan: plan(args, &load, &slo),
            swap: args.swap,
            blocks: Vec::new(),
        },
        simulated: simulated_a || simulated_b,
        inputs: [
            bench.declared.inputs.clone(),
            b_declared.inputs,
            selected.inputs.clone(),
        ]
        .concat(),
    };
    if args.resume {
        state.resume(output)?;
    }
    let header = records_header(&state.data, &slo, &args.contract.goodput);
    let goes_on = !state.data.blocks.is_empty();
    let records = open_records(args.records.as_deref(), &header, goes_on)?;

    let mut complete = true;
    let mut disturbed = 0;
    let already = u32::try_from(state.data.blocks.len()).unwrap_or(u32::MAX);
    for block in already..args.blocks {
        let order = if block % 2 == 0 { Order::Ab } else { Order::Ba };
        let mut one = |side: &Side| -> Result<Measured, Failure> {
            let alive = standing.up(side)?;
            let label = format!("{}/{} {}", block + 1, args.blocks, side.letter.to_uppercase());
            let on_this = on_server(&level_a, &alive.server, &selected)?;
            let name = Name {
                run: block,
                side: Some(if side.letter == 'a' {
                    RunSide::A
                } else {
                    RunSide::B
                }),
                label: &label,
            };
            let measured = bench.one_run(&on_this, &alive.server, &name, records.as_ref());
            alive.stop()?;
            measured
        };
        let (measured, again) = match pair::undisturbed(order, &a, &b, &mut one) {
            Ok(Some(pair)) => pair,
            // Ctrl-C in a run, or while a side started: what was measured is a document.
            Ok(None) => {
                complete = false;
                break;
            }
            Err(failure) if failure.exit == Exit::Interrupted => {
                complete = false;
                break;
            }
            Err(failure) => return Err(failure),
        };
        disturbed += again;
        let (run_a, run_b) = measured;
        state.data.blocks.push(Block {
            block,
            order,
            a: run_a.run,
            b: run_b.run,
        });
        // A crash or a full disk later keeps the blocks that were measured.
        if block + 1 < args.blocks {
            state.save(&bench, output);
        }
    }
    if disturbed > 0 {
        bench.warnings.push(Warning::new(
            "blocks-repeated",
            format!(
                "{disturbed} time(s) a block was disturbed on the client's side and measured again, whatever its numbers were"
            ),
        ));
    }

    let exit = exit_with(records.as_ref(), exit(&state.data, complete));
    let mut parts = state.parts(&bench, complete);
    list_records(records.as_ref(), &mut parts);
    let mut document = cli_kit::document(&Args::TOOL, parts, state.data);
    if let Some(path) = output
        .output
        .as_deref()
        .and_then(Path::to_str)
        .filter(|path| *path != "-")
    {
        document
            .next_actions
            .insert(0, decide(path, args.contract.target.as_deref()));
    }
    Ok(Report::new(&document, view::compare(&document, output.top), exit))
}

/// The decision on a comparison, under the target that it was measured under.
fn decide(path: &str, target: Option<&Path>) -> NextAction {
    let stem = path.strip_suffix(".json").unwrap_or(path);
    let stem = stem.strip_suffix(".compare").unwrap_or(stem);
    let output = format!("{stem}.gap.json");
    let mut command = vec!["gap-decide", "--compare", path];
    let target = target.and_then(Path::to_str);
    command.extend(target.iter().flat_map(|target| ["--target", target]));
    command.extend(["-o", &output]);
    NextAction::new("decide the gap from these pairs", &command)
}

/// What stays the same over all blocks.
struct Bench<'a> {
    args: &'a CompareArgs,
    output: &'a OutputArgs,
    declared: Declared,
    rules: SloRules,
    warnings: Vec<Warning>,
    /// False once a cache could not be emptied.
    flushed: bool,
}

impl Bench<'_> {
    fn one_run(
        &mut self,
        level: &Level,
        server: &Server,
        name: &Name<'_>,
        records: Option<&Records>,
    ) -> Result<Measured, Failure> {
        // A fresh launch is cold already.
        if !self.args.swap && cache::flush(server)? == Flushed::No && self.flushed {
            self.flushed = false;
            self.warnings.push(cache::warning(server));
        }
        measure(level, &self.rules, name, records, self.output)
    }
}

/// With URLs both servers stand all the time; with `--swap` only one of them, for its run.
struct Standing {
    urls: Option<(Server, Server)>,
}

impl Standing {
    fn new(a: &Side, b: &Side) -> Result<Standing, Failure> {
        let urls = match (&a.origin, &b.origin) {
            (Origin::Url(_), Origin::Url(_)) => Some((a.bring_up()?.server, b.bring_up()?.server)),
            _ => None,
        };
        Ok(Standing { urls })
    }

    fn up(&mut self, side: &Side) -> Result<Alive, Failure> {
        match &self.urls {
            Some((a, b)) => Ok(Alive::standing(if side.letter == 'a' {
                a.clone()
            } else {
                b.clone()
            })),
            None => side.bring_up(),
        }
    }
}

/// What was measured so far, and how it is written.
struct Progress {
    data: CompareData,
    simulated: bool,
    inputs: Vec<contracts::Input>,
}

impl Progress {
    /// Takes the blocks of the document at `-o`, if it is of the same measurement.
    fn resume(&mut self, output: &OutputArgs) -> Result<(), Failure> {
        let Some(path) = output.output.as_deref().filter(|path| path.exists()) else {
            return Ok(());
        };
        let loaded = cli_kit::load_document::<CompareData>(path, SCHEMA)?.document;
        let same = fixed(&loaded.data.plan) == fixed(&self.data.plan)
            && loaded.data.a.contract.fingerprint == self.data.a.contract.fingerprint
            && loaded.data.b.contract.fingerprint == self.data.b.contract.fingerprint
            && loaded.data.a.subject.fingerprint == self.data.a.subject.fingerprint
            && loaded.data.b.subject.fingerprint == self.data.b.subject.fingerprint;
        if !same {
            return Err(Failure::new(
                Exit::Drift,
                "resume-drift",
                format!(
                    "{} was measured under another plan, contract or subject",
                    path.display()
                ),
            )
            .hint("write to another -o, or run the command that made it"));
        }
        self.data.blocks = loaded.data.blocks;
        Ok(())
    }

    /// The head of the document.
    fn parts(&self, bench: &Bench<'_>, complete: bool) -> DocumentParts {
        let mut parts = DocumentParts::new(SCHEMA);
        parts.complete = complete;
        parts.simulated = self.simulated;
        parts.inputs = self.inputs.clone();
        parts.contract = self.data.a.contract.clone();
        parts.subject = self.data.a.subject.clone();
        parts.environment = cli_kit::environment();
        parts.warnings = bench.warnings.clone();
        let runs = self.data.blocks.iter().flat_map(|block| {
            [
                (format!("block {} A", block.block), &block.a),
                (format!("block {} B", block.block), &block.b),
            ]
        });
        parts
            .warnings
            .extend(verdict::warnings(runs, &self.data.workload.prompt_unit));
        parts.summary = format!(
            "{} blocks of {} (A) and {} (B), interleaved on {}; gap-decide says what they mean",
            self.data.blocks.len(),
            self.data.a.name,
            self.data.b.name,
            self.data.workload.scenario
        );
        parts
    }

    fn save(&self, bench: &Bench<'_>, output: &OutputArgs) {
        let Some(path) = output
            .output
            .as_deref()
            .filter(|path| path.as_os_str() != "-" && (!path.exists() || path.is_file()))
        else {
            return;
        };
        let document = cli_kit::document(&Args::TOOL, self.parts(bench, false), self.data.clone());
        let mut json = serde_json::to_vec_pretty(&document).expect("a document is JSON");
        json.push(b'\n');
        if let Err(error) = cli_kit::write_atomically(path, &json) {
            // The blocks stay in memory and are printed at the end.
            tracing::warn!("cannot write {} yet: {error}", path.display());
        }
    }
}

/// Sides whose known contract fields differ are refused before anything is measured.
fn comparable(a: &SideInfo, b: &SideInfo) -> Result<(), Failure> {
    let differing = a.contract.compare(&b.contract).differing;
    if differing.is_empty() {
        return Ok(());
    }
    let fields: Vec<String> = differing
        .iter()
        .map(|(field, a, b)| format!("{field} (A {a}, B {b})"))
        .collect();
    Err(Failure::new(
        Exit::BadInput,
        "contracts-differ",
        format!("the two sides cannot be compared: {}", fields.join("; ")),
    )
    .hint("serve the same model under the same declared target on both sides"))
}

/// The command line may differ in `--blocks` and `--resume`; what it asks for may not.
fn fixed(plan: &Value) -> Value {
    let mut plan = plan.clone();
    if let Some(fields) = plan.as_object_mut() {
        fields.remove("command");
        // Documents from before the flag do not have it.
        fields.entry("clear_env").or_insert(Value::Bool(false));
    }
    plan
}

/// What was asked for, without what may grow (`--blocks`).
fn plan(args: &CompareArgs, load: &LoadInfo, slo: &[String]) -> Value {
    json!({
        "a": args.a,
        "b": args.b,
        "a_cmd": shown(args.a_cmd.as_ref()),
        "b_cmd": shown(args.b_cmd.as_ref()),
        "swap": args.swap,
        "clear_env": args.clear_env,
        "load": load,
        "threads": args.load.shape.threads,
        "timeout_s": args.request.timeout,
        "slo": slo,
        "goodput": args.contract.goodput,
        "workload": args.workload.workload,
        "scenario": args.workload.scenario,
        "command": crate::command_line(),
    })
}

/// A launch command without its secrets.
fn shown(command: Option<&String>) -> Option<String> {
    contracts::argv::redacted(std::slice::from_ref(command?)).pop()
}

fn records_header(data: &CompareData, slo: &[String], goodput: &[String]) -> RecordHeader {
    let workload: WorkloadInfo = data.workload.clone();
    RecordHeader {
        schema: record::SCHEMA.to_owned(),
        tool: cli_kit::tool(&Args::TOOL),
        created_at: cli_kit::created_at(),
        contract: data.a.contract.clone(),
        environment: cli_kit::environment(),
        subject: data.a.subject.clone(),
        target: data.a.target.clone(),
        workload,
        load: data.load.clone(),
        shard: None,
        slo: slo.to_vec(),
        goodput: goodput.to_vec(),
    }
}

fn exit(data: &CompareData, complete: bool) -> Exit {
    let invalid = data.blocks.iter().any(|block| !block.a.valid || !block.b.valid);
    match (complete, invalid || data.blocks.is_empty()) {
        (false, _) => Exit::Interrupted,
        // An SLO that one side misses is for gap-decide to judge.
        (true, true) => Exit::Undecided,
        (true, false) => Exit::Ok,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decision_is_under_the_same_target_and_is_kept() {
        let words = |path, target: Option<&str>| decide(path, target.map(Path::new)).command.join(" ");
        assert_eq!(
            words("runs/a.compare.json", Some("t.yaml")),
            "gap-decide --compare runs/a.compare.json --target t.yaml -o runs/a.gap.json"
        );
        assert_eq!(words("c.json", None), "gap-decide --compare c.json -o c.gap.json");
        assert_eq!(words("c", None), "gap-decide --compare c -o c.gap.json");
    }
}
