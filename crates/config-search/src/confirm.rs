//! `config-search confirm`: the winner against the baseline, interleaved, each launched anew for every run, then the verdict.
//! Measuring and deciding are done by `serve-bench` and `gap-decide`, as processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cli_kit::{Failure, OutputArgs, Report};
use contracts::config_search::report::{Best, Comparison, Confirmation};
use contracts::gap_decide::decision::{self, DecisionData, Verdict};
use contracts::serve_bench::compare::{self, CompareData};
use contracts::{Document, Exit, NextAction};
use serde_json::Value;

use crate::cli::ConfirmArgs;
use crate::error::SearchError;
use crate::plan::parameter::VARIABLE;
use crate::plan::{Loaded, Ready, command};
use crate::{outcome, report, search, store};

pub(crate) fn run(args: &ConfirmArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let (plan, folder, rows) = search::existing(&args.search.plan, args.search.dir.as_deref())?;
    search::variables(&plan)?;
    let found = report::document(&plan, &args.search.plan, &folder, &rows, None);
    let winner = winner(&found.data.best, args.framework.as_deref())?;
    let ready = plan
        .frameworks
        .iter()
        .find(|ready| ready.framework.name == winner.framework)
        .expect("the best of a search is of a framework of its plan");
    let (serve_bench, gap_decide) = (
        cli_kit::find_companion("serve-bench")?,
        cli_kit::find_companion("gap-decide")?,
    );
    let place = folder.join("confirm").join(&winner.candidate);
    std::fs::create_dir_all(&place).map_err(write_error(&place))?;
    let _ = cli_kit::install_interrupt();
    // What each side gets of the environment.
    let subjects = [
        ("--subject", "subject.json", &winner.params),
        ("--b-subject", "b-subject.json", &BTreeMap::new()),
    ];
    let mut of_sides = Vec::new();
    for (flag, name, params) in subjects {
        let path = place.join(name);
        let framework = command::with_variables(&ready.framework, params);
        crate::subject::write(&path, &framework, &[]).map_err(write_error(&path))?;
        of_sides.extend([flag.to_owned(), path.display().to_string()]);
    }
    let target = plan.plan.target.as_ref().map(|target| plan.path(target));
    let mut comparisons = Vec::new();
    let mut decisions = Vec::new();
    for scenario in &plan.plan.scenarios {
        let measured = place.join(format!("{}.compare.json", scenario.name));
        let mut words: Vec<String> = ["compare", "--swap", "--clear-env"].map(str::to_owned).to_vec();
        for (flag, params) in [("--a-cmd", &winner.params), ("--b-cmd", &BTreeMap::new())] {
            words.extend([flag.to_owned(), launch(ready, params)?]);
        }
        words.extend(["--a-name", "candidate", "--b-name", "baseline"].map(str::to_owned));
        words.extend(of_sides.iter().cloned());
        words.extend(outcome::load(&plan.plan, scenario, &plan.base, 1.0));
        words.extend(["--blocks".to_owned(), args.blocks.to_string()]);
        if let Some(seconds) = ready.framework.ready_timeout_s {
            words.extend(["--ready-timeout".to_owned(), seconds.to_string()]);
        }
        if measured.exists() {
            words.push("--resume".to_owned());
        }
        let spinner = cli_kit::spinner(
            &format!(
                "{}: {} blocks of two launches",
                contracts::text::clean(&scenario.name, 60),
                args.blocks
            ),
            output,
        );
        companion(&serve_bench, words, &measured)?;
        spinner.finish_and_clear();
        cli_kit::load_document::<CompareData>(&measured, compare::SCHEMA)?;
        // One by one: loads of two scenarios have different contracts, though serve-bench may call both `random`.
        let decided = place.join(format!("{}.decision.json", scenario.name));
        let mut words = vec!["--compare".to_owned(), measured.display().to_string()];
        words.extend(["--metric".to_owned(), plan.metric().name().to_owned()]);
        if let Some(target) = &target {
            words.extend(["--target".to_owned(), target.display().to_string()]);
        }
        let code = companion(&gap_decide, words, &decided)?;
        let decision = cli_kit::load_document::<DecisionData>(&decided, decision::SCHEMA)?.document;
        let found = decision.data.scenarios.first();
        comparisons.push(Comparison {
            scenario: scenario.name.clone(),
            document: measured.display().to_string(),
            decision: Some(decided.display().to_string()),
            verdict: found.map(|found| found.verdict.name().to_owned()),
            effect_pct: found.and_then(|found| found.effect_pct),
            ci_low_pct: found.and_then(|found| found.ci_low_pct),
            ci_high_pct: found.and_then(|found| found.ci_high_pct),
            pairs: found.map(|found| found.pairs),
        });
        decisions.push((code, decision, decided));
    }
    let gravest = decisions
        .iter()
        .filter_map(|decided| Some((gravity(decided.1.data.scenarios.first()?.verdict), decided)))
        .min_by_key(|(gravity, _)| *gravity)
        .map(|(_, decided)| decided);
    let verdict = gravest.and_then(|(_, decision, _)| Some(decision.data.scenarios.first()?.verdict));
    let confirmation = Confirmation {
        framework: winner.framework.clone(),
        candidate: winner.candidate.clone(),
        comparisons,
        verdict: verdict.map(|verdict| verdict.name().to_owned()),
        decision: gravest.map(|(.., path)| path.display().to_string()),
    };
    let kept = folder.join(store::CONFIRMATION);
    let bytes = serde_json::to_vec_pretty(&confirmation).expect("a confirmation is JSON");
    cli_kit::write_atomically(&kept, &bytes).map_err(write_error(&kept))?;
    let mut document = report::document(&plan, &args.search.plan, &folder, &rows, Some(confirmation));
    document.next_actions = match verdict {
        Some(Verdict::Ahead | Verdict::TheirsFailsSlo) => vec![NextAction {
            why: deploy(winner),
            command: winner.command.clone(),
        }],
        Some(Verdict::Inconclusive) => more(&decisions, args, &folder, &winner.framework),
        _ => Vec::new(),
    };
    // More pairs are measured by this command, which is that of one comparison in short.
    let is_open = verdict == Some(Verdict::Inconclusive) && !document.next_actions.is_empty();
    document.next_actions.extend(
        gravest
            .filter(|_| !is_open)
            .into_iter()
            .flat_map(|(_, decision, _)| decision.next_actions.clone()),
    );
    let exit = if decisions.iter().any(|(code, ..)| *code == Some(5)) {
        Exit::Undecided
    } else {
        Exit::Ok
    };
    let view = crate::render::report(&document, output.top);
    Ok(Report::new(&document, view, exit))
}

/// The same confirmation with the pairs of the next look; none after the last.
fn more(
    decisions: &[(Option<i32>, Document<DecisionData>, PathBuf)],
    args: &ConfirmArgs,
    folder: &Path,
    framework: &str,
) -> Vec<NextAction> {
    let open = decisions
        .iter()
        .filter_map(|(_, decision, _)| decision.data.scenarios.first())
        .filter(|scenario| scenario.verdict == Verdict::Inconclusive);
    let Some(pairs) = open.filter_map(|scenario| scenario.next_look_pairs).max() else {
        return Vec::new();
    };
    let (plan, folder) = (
        args.search.plan.display().to_string(),
        folder.display().to_string(),
    );
    let blocks = pairs.to_string();
    vec![NextAction::new(
        format!("{pairs} pairs in all; those that are there are kept"),
        &[
            "config-search",
            "confirm",
            &plan,
            "--dir",
            &folder,
            "--framework",
            framework,
            "--blocks",
            &blocks,
        ],
    )]
}

/// What a confirmed winner is for, with the variables that its command does not show.
fn deploy(winner: &Best) -> String {
    let set = winner.params.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix(VARIABLE)?;
        Some(format!(
            "{name}={}",
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        ))
    });
    let set: Vec<String> = set.collect();
    let with = match set.as_slice() {
        [] => String::new(),
        set => format!(" with {}", set.join(" ")),
    };
    format!("it holds: deploy these flags{with}, quality-gate first where they touch numerics")
}

/// The gravest first: what forbids the candidate anywhere comes before all, and it is ahead where it is ahead somewhere and tied
/// elsewhere.
fn gravity(verdict: Verdict) -> usize {
    let order = [
        Verdict::Invalid,
        Verdict::OursFailsSlo,
        Verdict::Behind,
        Verdict::Inconclusive,
        Verdict::TheirsFailsSlo,
        Verdict::Ahead,
        Verdict::Tied,
    ];
    order
        .iter()
        .position(|known| *known == verdict)
        .unwrap_or(order.len())
}

/// The best candidate that is not the baseline: of the framework that was asked for, else with the largest gain.
fn winner<'a>(best: &'a [Best], framework: Option<&str>) -> Result<&'a Best, SearchError> {
    best.iter()
        .filter(|best| framework.is_none_or(|name| best.framework == name) && !best.params.is_empty())
        .max_by(|a, b| {
            let gain = |best: &Best| best.gain_pct.map_or(f64::NEG_INFINITY, contracts::Finite::get);
            // Of equals the first in the plan.
            gain(a).total_cmp(&gain(b)).then(std::cmp::Ordering::Greater)
        })
        .ok_or_else(|| {
            SearchError::NothingToConfirm(
                "no candidate of the search beats its baseline by more than a tie".to_owned(),
            )
        })
}

/// The launch command as one JSON text; the program by its whole path, because the environment is cleared.
fn launch(ready: &Ready, params: &BTreeMap<String, Value>) -> Result<String, SearchError> {
    let mut argv = command::argv(&ready.framework, params).map_err(SearchError::NothingToConfirm)?;
    if !argv[0].contains('/') {
        let on_path = std::env::var_os("PATH").and_then(|path| {
            std::env::split_paths(&path)
                .map(|folder| folder.join(&argv[0]))
                .find(|path| path.is_file())
        });
        if let Some(path) = on_path {
            argv[0] = path.display().to_string();
        }
    }
    Ok(Value::from(argv).to_string())
}

/// Runs a tool that writes a document.
fn companion(program: &Path, words: Vec<String>, document: &Path) -> Result<Option<i32>, SearchError> {
    let name = program
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let failed = |why: String, exit| SearchError::Companion {
        program: name.clone(),
        why,
        exit,
    };
    let output = Command::new(program)
        .args(words)
        .args(["--quiet", "--format", "json", "-o"])
        .arg(document)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| failed(error.to_string(), Exit::Unavailable))?;
    let code = output.status.code();
    if matches!(code, Some(0 | 1 | 5)) {
        return Ok(code);
    }
    let said = contracts::text::clean_bytes(&output.stderr, 600);
    let exit = match code {
        Some(3) => Exit::BadInput,
        Some(7) => Exit::Drift,
        _ => Exit::Unavailable,
    };
    Err(failed(said, exit))
}

fn write_error(path: &Path) -> impl FnOnce(std::io::Error) -> SearchError + use<> {
    let path = path.display().to_string();
    move |source| SearchError::Write { path, source }
}

/// `config-search report` and `config-search status`.
pub(crate) fn show(
    plan: &Path,
    dir: Option<&Path>,
    output: &OutputArgs,
    is_short: bool,
) -> Result<Report, Failure> {
    let (plan_read, folder, rows): (Loaded, _, _) = search::existing(plan, dir)?;
    let document = report::document(&plan_read, plan, &folder, &rows, store::confirmation(&folder));
    let view = if is_short {
        crate::render::status(&document, output.top)
    } else {
        crate::render::report(&document, output.top)
    };
    Ok(Report::new(&document, view, Exit::Ok))
}
