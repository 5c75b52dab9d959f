//! Humanize itself: installed, idle, and able to call its reviewer.

use std::path::{Path, PathBuf};

use contracts::loop_ledger::preflight::Check;

use super::started::loops;
use super::{Context, LIMIT, failed, home_folder, not_checked, passed, variable, warning};
use crate::probe::{self, NotRun};

/// What starts its loop.
const SETUP: &str = "scripts/setup-rlcr-loop.sh";

pub(super) fn checks(context: &Context<'_>) -> Vec<Check> {
    let mut checks = vec![runtime(), inactive(context.project)];
    checks.extend(reviewer());
    checks
}

fn runtime() -> Check {
    let name = "humanize-runtime";
    match places().into_iter().find(|place| place.join(SETUP).is_file()) {
        Some(_) => passed(name, format!("{SETUP} is there")),
        None => failed(
            name,
            format!("no {SETUP} in the known places"),
            "install Humanize, or export HUMANIZE_RUNTIME_ROOT with the folder that has it",
        ),
    }
}

/// Where clients put it, a named place first.
fn places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = ["HUMANIZE_RUNTIME_ROOT", "HUMANIZE_ROOT"]
        .into_iter()
        .filter_map(variable)
        .map(PathBuf::from)
        .collect();
    if let Some(codex) = home_folder("CODEX_HOME", ".codex") {
        places.push(codex.join("skills/humanize"));
    }
    if let Some(claude) = home_folder("CLAUDE_CONFIG_DIR", ".claude") {
        places.push(claude.join("skills/humanize"));
        // Installed plugins lie at cache/<market>/<plugin>/<version>.
        for market in folders(&claude.join("plugins/cache")) {
            places.extend(folders(&market.join("humanize")));
        }
    }
    places
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .take(64)
        .collect()
}

fn inactive(project: &Path) -> Check {
    let name = "humanize-inactive";
    match loops(project).first() {
        None => passed(name, "no loop is active".to_owned()),
        Some(active) => failed(
            name,
            format!("a loop is active: {}", active.name),
            "resume, finish or cancel it first: one loop a project",
        ),
    }
}

/// Humanize 1.16.0 calls `codex exec … --full-auto`, and Codex 0.169.0 does not know that flag any more: every round would
/// end in a failed review.
fn reviewer() -> Option<Check> {
    let name = "codex-full-auto";
    let bypass = "HUMANIZE_CODEX_BYPASS_SANDBOX";
    match probe::run(&["codex", "exec", "--full-auto", "--help"], None, LIMIT) {
        Ok(ran) if ran.is_ok() => Some(passed(name, "the reviewer's flag is known".to_owned())),
        Ok(_) if variable(bypass).is_some_and(|value| value == "1" || value == "true") => Some(warning(
            name,
            format!("this Codex does not know --full-auto; {bypass} takes another way, without a sandbox"),
            "run it only where the reviewer may do no harm: a container of its own",
        )),
        Ok(ran) => Some(failed(
            name,
            format!("`codex exec --full-auto` is refused: {}", ran.first_line()),
            "pin a Codex that knows the flag, update Humanize, or export HUMANIZE_CODEX_BYPASS_SANDBOX=1 in a container",
        )),
        Err(NotRun::Missing(_)) => None,
        Err(why) => Some(not_checked(name, why.to_string())),
    }
}
