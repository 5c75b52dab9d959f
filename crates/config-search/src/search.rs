//! `config-search run`: the framework that had the least tries its next candidate, until all have had their budget.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use cli_kit::{Failure, OutputArgs, Report};
use contracts::config_search::candidate::{self, Candidate, Effort, Status};
use contracts::config_search::report::State;
use contracts::{Exit, Finite};

use crate::cli::RunArgs;
use crate::error::SearchError;
use crate::history;
use crate::measure::{Bench, Seen};
use crate::plan::{self, Loaded, Ready, command};
use crate::prior;
use crate::report;
use crate::store::{self, Store};
use crate::strategy::{self, Proposal, Settings};

/// Candidates that may be refused for each trial of the budget.
const MOST_REFUSED: usize = 4;

/// Candidates in a row that could not even be tried.
const MOST_SKIPPED: usize = 3;

pub(crate) fn run(args: &RunArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let limit = args.budget.as_deref().map(duration).transpose()?;
    let plan = plan::load(&args.search.plan)?.usable()?;
    variables(&plan)?;
    let serve_bench = cli_kit::find_companion("serve-bench")?;
    let folder = store::folder(args.search.dir.as_deref(), &args.search.plan);
    let mut store = Store::open(&folder, &plan, args.resume)?;
    for sub in ["logs", "results"] {
        let path = folder.join(sub);
        std::fs::create_dir_all(&path).map_err(|source| SearchError::Write {
            path: path.display().to_string(),
            source,
        })?;
    }
    // Without handlers Ctrl-C ends the process as usual; every row is on disk then as well.
    let _ = cli_kit::install_interrupt();
    let was_cut = search(&plan, &mut store, &serve_bench, limit, output)?;
    let mut document = report::document(
        &plan,
        &args.search.plan,
        &folder,
        &store.rows,
        store::confirmation(&folder),
    );
    document.warnings.extend(plan.notes.iter().cloned());
    if store.was_torn {
        document.warnings.push(contracts::Warning::new(
            "row-torn",
            "the last row was cut by a crash; it was moved to candidates.torn and is made anew",
        ));
    }
    if let Some(code) = was_cut {
        document.warnings.push(contracts::Warning::new(
            "search-cut",
            format!("the search stopped early: {code}; go on with --resume"),
        ));
    }
    let interrupted = cli_kit::interrupted();
    document.complete = !interrupted;
    let has_baseline = !document.data.best.is_empty() || has_baseline(&store.rows);
    let exit = match document.data.state {
        _ if interrupted => Exit::Interrupted,
        _ if !has_baseline => Exit::BudgetSpent,
        State::NoBaseline => Exit::BudgetSpent,
        State::Open | State::Done => Exit::Ok,
    };
    let view = crate::render::report(&document, output.top);
    Ok(Report::new(&document, view, exit))
}

fn has_baseline(rows: &[Candidate]) -> bool {
    rows.iter().any(|row| {
        row.status == Status::Ok && history::is_baseline(row) && row.effort.fidelity_ratio.get() >= 1.0
    })
}

/// Searches until the budget or the space is used; the code of why it stopped before. Several trials run at once where the plan
/// says so; each row is on disk as soon as its trial has ended.
fn search(
    plan: &Loaded,
    store: &mut Store,
    serve_bench: &Path,
    limit: Option<Duration>,
    output: &OutputArgs,
) -> Result<Option<String>, SearchError> {
    let begun = Instant::now();
    let metric = plan.metric();
    let folder = store.folder.clone();
    let model = prior::model(&plan.plan, &plan.base);
    let at_once = usize::try_from(plan.plan.budget.concurrent.max(1)).unwrap_or(1);
    let is_over = || limit.is_some_and(|limit| begun.elapsed() >= limit);
    let mut running: Vec<Candidate> = Vec::new();
    let mut stopped: Option<String> = None;
    let mut skipped = 0;
    let all = plan
        .plan
        .budget
        .trials
        .saturating_mul(plan.frameworks.len() as u64);
    let bar = cli_kit::progress_bar(all, "search", output);
    bar.set_position(tried(&store.rows));
    let (sender, ended) = mpsc::channel::<Candidate>();
    std::thread::scope(|scope| {
        loop {
            while stopped.is_none() && running.len() < at_once {
                if cli_kit::interrupted() {
                    stopped = Some("interrupted".to_owned());
                } else if is_over() {
                    stopped = Some("the time of --budget is over".to_owned());
                }
                let rows: Vec<Candidate> = store.rows.iter().chain(&running).cloned().collect();
                let Some((ready, proposal)) = next(plan, &rows).filter(|_| stopped.is_none()) else {
                    break;
                };
                let row = begin(plan, ready, &proposal, &rows);
                let of: Vec<&Candidate> = rows
                    .iter()
                    .filter(|known| known.framework == row.framework)
                    .collect();
                let rest = [
                    limit.map(|limit| limit.saturating_sub(begun.elapsed())),
                    rest_of_budget(plan, ready, &of),
                ];
                let bench = Bench {
                    plan: &plan.plan,
                    model: model.as_ref(),
                    base: &plan.base,
                    metric: &metric,
                    folder: &folder,
                    serve_bench,
                    deadline: rest
                        .into_iter()
                        .flatten()
                        .min()
                        .and_then(|rest| Instant::now().checked_add(rest)),
                };
                running.push(row.clone());
                let sender = sender.clone();
                scope.spawn(move || {
                    let seen = bench.measure(&ready.framework, &row.id, &row.params, proposal.fidelity);
                    // Nobody listens only when the rows cannot be written any more.
                    let _ = sender.send(end(ready, row, seen));
                });
            }
            if running.is_empty() {
                return Ok(stopped);
            }
            let row = ended.recv().expect("a trial runs and has a sender");
            running.retain(|known| known.id != row.id);
            bar.set_message(format!(
                "{} {}",
                row.id,
                row.reason_code.as_deref().unwrap_or("ok")
            ));
            let is_skipped = row.status == Status::Skipped && !history::is_refused(&row);
            let code = row.reason_code.clone().filter(|_| is_skipped);
            store.append(row)?;
            bar.set_position(tried(&store.rows));
            skipped = if code.is_some() { skipped + 1 } else { 0 };
            if let Some(code) = code
                && stopped.is_none()
                && (skipped >= MOST_SKIPPED || code != "port-in-use")
                && (code != "budget-ended" || is_over())
            {
                stopped = Some(code);
            }
        }
    })
}

/// Candidates that count against the budget.
fn tried(rows: &[Candidate]) -> u64 {
    rows.iter().filter(|row| history::is_trial(row)).count() as u64
}

/// The row of a trial that begins now.
fn begin(plan: &Loaded, ready: &Ready, proposal: &Proposal, rows: &[Candidate]) -> Candidate {
    let name = &ready.framework.name;
    Candidate {
        schema: candidate::SCHEMA.to_owned(),
        id: format!("{name}-{:04}", next_number(name, rows)),
        framework: name.clone(),
        plan_sha256: plan.input.sha256.clone(),
        started_at: jiff::Timestamp::now(),
        step: proposal.step,
        params: ready.space.values(&proposal.config),
        status: Status::Failed,
        reason_code: Some(history::RUNNING.to_owned()),
        reason: None,
        hint: None,
        argv: vec![],
        env_names: command::with_variables(&ready.framework, &ready.space.values(&proposal.config))
            .env
            .into_keys()
            .collect(),
        versions: BTreeMap::new(),
        flags_accepted: None,
        simulated: None,
        results: vec![],
        effort: Effort {
            wall_s: finite(0.0),
            gpu_s: finite(0.0),
            fidelity_ratio: finite(proposal.fidelity),
        },
        log_path: None,
    }
}

/// The same row, with what became of the trial.
fn end(ready: &Ready, row: Candidate, seen: Seen) -> Candidate {
    let status = seen.reason.as_ref().map_or(Status::Ok, |reason| reason.status);
    Candidate {
        status,
        reason_code: seen.reason.as_ref().map(|reason| reason.code.to_owned()),
        reason: seen.reason.as_ref().map(|reason| reason.text.clone()),
        hint: seen.reason.map(|reason| reason.hint),
        argv: seen.argv,
        versions: seen.versions,
        flags_accepted: seen.flags_accepted,
        simulated: seen.simulated,
        results: if status == Status::Ok {
            seen.results
        } else {
            vec![]
        },
        effort: Effort {
            wall_s: finite(seen.wall_s),
            gpu_s: finite(seen.wall_s * ready.framework.gpu_count as f64),
            ..row.effort
        },
        log_path: seen.log_path,
        ..row
    }
}

/// Number of the next candidate: above all that there are, because rows stand in the order in which trials ended.
fn next_number(framework: &str, rows: &[Candidate]) -> u64 {
    let numbers = rows.iter().filter_map(|row| {
        row.id
            .strip_prefix(framework)?
            .strip_prefix('-')?
            .parse::<u64>()
            .ok()
    });
    numbers.max().map_or(0, |last| last + 1)
}

/// Whose turn it is, and what it tries.
fn next<'a>(plan: &'a Loaded, rows: &[Candidate]) -> Option<(&'a Ready, Proposal)> {
    let mut turns: Vec<(usize, &Ready)> = plan
        .frameworks
        .iter()
        .map(|ready| {
            let of = rows
                .iter()
                .filter(|row| row.framework == ready.framework.name && history::is_trial(row));
            (of.count(), ready)
        })
        .collect();
    // A stable sort: of equals the first in the plan.
    turns.sort_by_key(|(trials, _)| *trials);
    turns.into_iter().find_map(|(_, ready)| {
        let proposal = proposal(plan, ready, rows)?;
        let params = ready.space.values(&proposal.config);
        // What runs is not begun twice, and a baseline is waited for: everything else is held against it.
        let is_held = rows.iter().any(|row| {
            history::is_running(row)
                && row.framework == ready.framework.name
                && (history::is_baseline(row)
                    || (row.params == params && row.effort.fidelity_ratio == finite(proposal.fidelity)))
        });
        (!is_held).then_some((ready, proposal))
    })
}

/// What a framework tries next; `None` when it has had its budget, its space is used, or it was given up.
pub(crate) fn proposal(plan: &Loaded, ready: &Ready, rows: &[Candidate]) -> Option<Proposal> {
    let rows: Vec<&Candidate> = rows
        .iter()
        .filter(|row| row.framework == ready.framework.name)
        .collect();
    let used = rows.iter().filter(|row| history::is_trial(row)).count();
    let trials = usize::try_from(plan.plan.budget.trials).unwrap_or(usize::MAX);
    let is_spent = rest_of_budget(plan, ready, &rows).is_some_and(|rest| rest.is_zero());
    if used >= trials || is_spent || history::is_given_up(&rows) {
        return None;
    }
    let history = history::trials(&ready.space, &plan.metric(), &rows);
    // What was refused was not launched, and is known all the same; a space that is refused on and on ends.
    let refused = rows.iter().filter(|row| history::is_refused(row)).count();
    let free = refused.min(MOST_REFUSED.saturating_mul(trials));
    let settings = Settings {
        // Baselines that failed were launched all the same.
        trials: (trials + free).saturating_sub(used + refused - history.len()),
        screen: plan.plan.screen_ratio.map(Finite::get),
        seed: plan.plan.seed,
    };
    strategy::propose(&ready.space, &settings, &history)
}

/// Wall time that a framework has left; `None` without a limit.
fn rest_of_budget(plan: &Loaded, ready: &Ready, rows: &[&Candidate]) -> Option<Duration> {
    let spent = |of: fn(&Effort) -> Finite| rows.iter().map(|row| of(&row.effort).get()).sum::<f64>();
    let budget = &plan.plan.budget;
    let wall = budget
        .wall_s
        .map(|limit| limit.get() - spent(|effort| effort.wall_s));
    let gpus = ready.framework.gpu_count as f64;
    let gpu = budget
        .gpu_s
        .filter(|_| gpus > 0.0)
        .map(|limit| (limit.get() - spent(|effort| effort.gpu_s)) / gpus);
    let least = [wall, gpu].into_iter().flatten().reduce(f64::min)?;
    Some(Duration::try_from_secs_f64(least.max(0.0)).unwrap_or(Duration::MAX))
}

/// Variables of the plan that are to come from this shell, and are not there.
pub(crate) fn variables(plan: &Loaded) -> Result<(), SearchError> {
    for ready in &plan.frameworks {
        for (name, value) in &ready.framework.env {
            if value.is_empty() && std::env::var_os(name).is_none() {
                return Err(SearchError::Plan {
                    path: plan.input.path.clone(),
                    message: format!(
                        "{}: the variable {name} is to come from this shell, and is not set",
                        ready.framework.name
                    ),
                    hint: format!("export {name}=… and run the same command"),
                });
            }
        }
    }
    Ok(())
}

fn duration(text: &str) -> Result<Duration, SearchError> {
    let bad = || SearchError::Duration(contracts::text::clean(text, 40));
    let unit = text.chars().last().ok_or_else(bad)?;
    let seconds = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3600.0,
        _ => return Err(bad()),
    };
    let number: f64 = text[..text.len() - 1].parse().map_err(|_| bad())?;
    if !(number > 0.0 && number * seconds < 1e9) {
        return Err(bad());
    }
    Ok(Duration::from_secs_f64(number * seconds))
}

pub(crate) fn finite(value: f64) -> Finite {
    Finite::new(value).expect("a measured time is finite")
}

/// Folder and plan of a search, for commands that only read it.
pub(crate) fn existing(
    plan: &Path,
    dir: Option<&Path>,
) -> Result<(Loaded, PathBuf, Vec<Candidate>), Failure> {
    let loaded = plan::load(plan)?.usable()?;
    let folder = store::folder(dir, plan);
    let rows = store::rows(&folder, &loaded)?;
    Ok((loaded, folder, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_number_with_a_unit() {
        assert_eq!(duration("90s").unwrap().as_secs(), 90);
        assert_eq!(duration("1.5h").unwrap().as_secs(), 5400);
        for text in ["", "h", "2", "2d", "-1s", "0s", "é", "nans", "1e300h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
